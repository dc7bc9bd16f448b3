package secret

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/shell"
	"philipp.info/stackgen/pkg/source"
)

// fileWord is a word that can only be meant as a path: it begins as one, or ends in an extension.
var fileWord = regex.Of(`^(~?/|\.\.?/)[^\s=:]+$|^[A-Za-z0-9_./-]+\.[A-Za-z][A-Za-z0-9]{0,7}$`)

// makesFile are the options whose file a program makes.
var makesFile = []string{"-o", "--output", "--filename-override"}

// because adds to the error of a program that ended with a status the files that its command names and that are not
// there: what the program itself says about them is not shown.
func because(argv []string, dir string, err error) error {
	if _, ended := errors.AsType[interface {
		error
		ExitCode() int
	}](err); !ended {
		return err
	}
	var absent []string
	home := false
	for i, word := range argv {
		before := ""
		if i > 0 {
			before = argv[i-1]
		}
		// What may be a secret is not shown.
		maybe := source.LooksRandom(word) || strings.HasPrefix(before, "-") && source.MaskLine(before) == source.Masked
		if i == 0 || maybe || slices.Contains(makesFile, before) || !fileWord().MatchString(word) {
			continue
		}
		path := word
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		if _, statErr := os.Stat(path); errors.Is(statErr, fs.ErrNotExist) {
			absent, home = append(absent, shell.Path(word)), home || strings.HasPrefix(word, "~")
		}
	}
	if len(absent) == 0 {
		return err
	}
	why := "; there is no file " + strings.Join(absent, " and no ")
	if home {
		why += ", for without a shell ~ stands for nothing"
	}
	return absentError{err, why}
}

type absentError struct {
	error
	why string
}

func (e absentError) Error() string { return e.error.Error() + e.why }
func (e absentError) Unwrap() error { return e.error }
