package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
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
	v := version
	if info, ok := debug.ReadBuildInfo(); v == "" && ok {
		v = info.Main.Version
	}
	if v == "" {
		v = "(devel)"
	}
	_, err := fmt.Fprintf(a.stdout, "stackgen %s %s %s/%s\n", v, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
