# Completion of lossctl for fish: save as ~/.config/fish/completions/lossctl.fish

function __lossctl_answer
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l answer ($words[1] completion fish --answer -- $words "$current" 2>/dev/null)
    if test "$answer[1]" = files
        __fish_complete_path "$current"
    else
        printf '%s\n' $answer[2..-1]
    end
end

complete -c lossctl -f -a '(__lossctl_answer)'
