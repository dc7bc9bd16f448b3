complete -o default -o bashdefault -C stackgen stackgen
