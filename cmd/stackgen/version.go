package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/alecthomas/kong"
)

// version overrides what the build knows, for releases built outside of git: -ldflags "-X main.version=v1.2.3".
var version string

type versionCmd struct{}

func (*versionCmd) Help() string {
	return `Example:

    stackgen version
`
}

func (*versionCmd) Run(a *app) error {
	_, err := fmt.Fprintln(a.stdout, versionLine())
	return err
}

// versionFlag is --version, which people try first.
type versionFlag bool

// BeforeReset prints the version and ends the run, as --help does.
func (versionFlag) BeforeReset(k *kong.Kong) error {
	_, err := fmt.Fprintln(k.Stdout, versionLine())
	k.Exit(exitClean)
	return err
}

func versionLine() string {
	v := version
	if info, ok := debug.ReadBuildInfo(); v == "" && ok {
		v = info.Main.Version
	}
	if v == "" {
		v = "(devel)"
	}
	return fmt.Sprintf("stackgen %s %s %s/%s", v, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
