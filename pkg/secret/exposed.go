package secret

import (
	"fmt"
	"os"
	"runtime"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/shell"
	"philipp.info/stackgen/pkg/source"
)

// exposed reports a file that other users of the machine can read.
func (l *loader) exposed(path string, sites []source.Site) {
	info, err := os.Stat(path)
	// Windows knows no such bits, and Go answers 0666 there for every file.
	if err != nil || runtime.GOOS == "windows" || info.Mode()&0o077 == 0 {
		return
	}
	l.report(finding.Error, sites,
		fmt.Sprintf("the file has mode %#o; other users of this machine can get at every secret of the stack", info.Mode().Perm()),
		"chmod 600 "+shell.Path(path))
}
