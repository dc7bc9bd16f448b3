// Package regex compiles a regular expression when it is first asked for. What a package compiles before main, every
// command pays for, also the one that prints the version.
package regex

import (
	"regexp"
	"sync"
)

// Of gives the compiled expression; it panics where that is not valid, as regexp.MustCompile does. Calls may be
// concurrent.
func Of(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}
