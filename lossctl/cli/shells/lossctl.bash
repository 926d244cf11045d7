# Completion of lossctl for bash: eval "$(lossctl completion bash)"

_lossctl() {
    local program=${1:-${COMP_WORDS[0]}} mode value rest
    program=${program/#\~/$HOME}
    COMPREPLY=()
    {
        IFS= read -r mode
        while IFS=$'\t' read -r value rest; do
            COMPREPLY+=("$value")
        done
    } < <("$program" completion bash --answer --breaks "$COMP_WORDBREAKS" \
        --line "${COMP_LINE:0:${COMP_POINT:-0}}" -- "${COMP_WORDS[@]:0:$((COMP_CWORD + 1))}" 2>/dev/null)
    # Bash before 4 has no compopt: it adds a blank, and offers files where there is nothing else.
    case $mode in
        files) compopt -o filenames ;;
        glued) compopt +o default -o nospace ;;
        *) compopt +o default ;;
    esac 2>/dev/null
    return 0
}

complete -o default -F _lossctl lossctl
