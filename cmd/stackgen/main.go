// Command stackgen renders a whole Matrix stack from one spec, and proves that its files fit together.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/alecthomas/kong"
	kongcompletion "github.com/jotaen/kong-completion"

	"philipp.info/stackgen/pkg/adopt/compare"
	"philipp.info/stackgen/pkg/diff"
	"philipp.info/stackgen/pkg/output"
	"philipp.info/stackgen/pkg/report"
)

const (
	exitClean    = 0
	exitFindings = 1 // errors were found, or files were edited by hand
	exitUsage    = 2 // the command line makes no sense
	exitFailed   = 3 // it could not be finished: a file cannot be read, a disk is full
	// 130 and 143: Ctrl-C or SIGTERM ended it; see interruptible.
)

// exitCode is an error that has been told already.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit %d", int(c)) }

// usageError is a command line that kong accepts and we do not.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

type cli struct {
	Color string `help:"Colours: auto (where it is a terminal), always or never." enum:"auto,always,never" default:"auto" placeholder:"WHEN"`
	// Only its hook counts; the command is called as the flag is.
	PrintVersion versionFlag `name:"version" help:"Print the version."`

	Init       initCmd       `cmd:"" help:"Start a stack: write a commented stack.yaml."`
	Import     importCmd     `cmd:"" help:"Take over a running stack: write the spec and the secrets of a deployment."`
	Render     renderCmd     `cmd:"" help:"Write every file of the stack, after proving that they fit together."`
	Validate   validateCmd   `cmd:"" help:"The same proof, with nothing written."`
	Diff       diffCmd       `cmd:"" help:"Show what a change of the spec does to the running stack. Never shows a secret."`
	Check      checkCmd      `cmd:"" help:"Audit the files of a deployment, whoever wrote them."`
	Rules      rulesCmd      `cmd:"" help:"List the rules, or explain one."`
	Route      routeCmd      `cmd:"" help:"Tell which router takes a request, and what the container sees."`
	Secrets    secretsCmd    `cmd:"" help:"List, set, rotate and recover secrets. Never prints a value."`
	Schema     schemaCmd     `cmd:"" help:"Print the JSON Schema of stack.yaml."`
	Completion completionCmd `cmd:"" help:"Say how to turn on completion in your shell."`
	Version    versionCmd    `cmd:"" help:"Print the version."`
	Help       helpCmd       `cmd:"" help:"Show what a command does, with an example."`
}

// app is what the commands share.
type app struct {
	ctx            context.Context
	stdin          io.Reader
	stdout, stderr *output.Writer
	color          string
	command        string // the command as it was called, such as stackgen check
}

func main() {
	// A run is over before collected memory is worth what the collection costs. $GOGC still decides, if set.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	os.Exit(interruptible(os.Stderr, func(ctx context.Context) int {
		return run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	}))
}

func run(ctx context.Context, args []string, stdin io.Reader, out, talk io.Writer) (code int) {
	stdout, stderr := output.Product(out), output.Talk(talk)
	c := &cli{}
	parser, err := newParser(c, stdout, stderr)
	if err != nil {
		say(stderr, "stackgen: %v", err)
		return exitFailed
	}
	// kong ends the program in the middle of parsing after --help; here that is only a way out of run.
	defer func() {
		if r := recover(); r != nil {
			exit, ok := r.(exitCode)
			if !ok {
				panic(r)
			}
			code = int(exit)
		}
	}()
	kongcompletion.Register(parser,
		kongcompletion.WithPredictor("secret", secretNames), kongcompletion.WithPredictor("rule", ruleIDs), kongcompletion.WithPredictor("command", commandNames(parser)))
	if len(args) == 0 {
		args = []string{"--help"}
	}
	k, err := parser.Parse(args)
	if err != nil {
		return fail(stderr, usageError{err})
	}
	a := &app{ctx: ctx, stdin: stdin, stdout: stdout, stderr: stderr, color: c.Color, command: k.Selected().FullPath()}
	return fail(stderr, k.Run(a))
}

func newParser(c *cli, stdout, stderr io.Writer) (*kong.Kong, error) {
	width := 100
	if out, ok := stdout.(*output.Writer); ok {
		width = min(cmp.Or(out.Width(os.LookupEnv), width), width)
	}
	return kong.New(c,
		kong.Name("stackgen"),
		kong.Description("One spec becomes every file of a Matrix stack, proven consistent before a byte is written."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { panic(exitCode(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: width}),
		kong.Vars{"formats": strings.Join(report.Formats, ","), "diffs": strings.Join(diff.Formats, ","), "compared": strings.Join(compare.Formats, ",")},
	)
}

// say tells one line, whatever the names in it hold.
func say(w io.Writer, format string, args ...any) {
	width := 0
	if out, ok := w.(*output.Writer); ok {
		width = out.Width(os.LookupEnv)
	}
	for _, line := range output.Hang(output.Line(format, args...), width) {
		fmt.Fprintln(w, line)
	}
}

// fail tells an error, unless that is done, and gives the exit code for it.
func fail(stderr io.Writer, err error) int {
	if err == nil {
		return exitClean
	}
	if code, ok := errors.AsType[exitCode](err); ok {
		return int(code)
	}
	say(stderr, "stackgen: %v", err)
	if e, ok := errors.AsType[endedError](err); ok {
		return e.code()
	}
	if _, ok := errors.AsType[usageError](err); ok {
		say(stderr, "`stackgen COMMAND --help` shows how it is used")
		return exitUsage
	}
	return exitFailed
}
