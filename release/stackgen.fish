function __complete_stackgen
    set -lx COMP_LINE (commandline -cp)
    test -z (commandline -ct)
    and set COMP_LINE "$COMP_LINE "
    stackgen
end
complete -f -c stackgen -a "(__complete_stackgen)"
