#compdef lossctl
# Completion of lossctl for zsh: eval "$(lossctl completion zsh)"

_lossctl() {
    local mode line value
    local -a lines plain plain_shown glued glued_shown
    lines=("${(@f)$("${(Q)words[1]}" completion zsh --answer -- "${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
    mode=${lines[1]}
    if [[ $mode == files ]]; then
        _files
        return
    fi
    for line in "${(@)lines[2,-1]}"; do
        [[ -n $line ]] || continue
        value=${line%%$'\t'*}
        if [[ $value == *[=:,] ]]; then
            glued+=("$value")
            glued_shown+=("${line/$'\t'/  -- }")
        else
            plain+=("$value")
            plain_shown+=("${line/$'\t'/  -- }")
        fi
    done
    (( $#plain )) && compadd -l -d plain_shown -a plain
    (( $#glued )) && compadd -l -S '' -d glued_shown -a glued
    return 0
}

if [[ ${funcstack[1]} == _lossctl ]]; then
    _lossctl "$@"
else
    compdef _lossctl lossctl
fi
