package main

import (
	"github.com/alecthomas/kong"
	"github.com/posener/complete"
)

type helpCmd struct {
	Command []string `arg:"" optional:"" help:"The command to explain." completion-predictor:"command"`
}

func (*helpCmd) Help() string {
	return `The same as COMMAND --help.

Example:

    stackgen help secrets set
`
}

func (c *helpCmd) Run(k *kong.Context) error {
	if _, err := k.Kong.Parse(append(c.Command, "--help")); err != nil {
		return usageError{err}
	}
	return nil
}

// commandNames completes the names of the commands.
func commandNames(k *kong.Kong) complete.Predictor {
	return complete.PredictFunc(func(complete.Args) []string {
		var names []string
		for _, command := range k.Model.Children {
			names = append(names, command.Name)
		}
		return names
	})
}
