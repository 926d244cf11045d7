# Completion of lossctl for fish: save as ~/.config/fish/completions/lossctl.fish

function __lossctl_answer
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l answer ($words[1] completion fish --answer -- $words "$current" 2>/dev/null)
    set -l mode $answer[1]
    set -e answer[1]
    if test "$mode" = files
        __fish_complete_path "$current"
    else if set -q answer[1]
        printf '%s\n' $answer
    end
end

complete -c lossctl -f -a '(__lossctl_answer)'
