package main

import kongcompletion "github.com/jotaen/kong-completion"

type completionCmd struct {
	kongcompletion.Completion
}

func (*completionCmd) Help() string {
	return `Prints the line for your shell's init file that turns completion on. Without SHELL, it is your login shell that is meant.

Example:

    stackgen completion zsh
`
}
