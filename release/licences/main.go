// Command licences prints THIRD_PARTY.md: what is linked into stackgen for any of the released systems, under
// which licence, and the texts that have to go with it. It fails where a licence is none that we may
// distribute under.
package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-licenses/licenses"
)

// allowed are licences that ask for no more than to be passed on. MPL-2.0 also asks for the source of its own
// files, which stays where it is: nothing of it is changed.
var allowed = []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MPL-2.0", "Unlicense"}

type library struct {
	name, version, licence string
	texts                  []string
}

func main() {
	out, err := document(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
	os.Stdout.Write(out)
}

func document(ctx context.Context) ([]byte, error) {
	if err := os.Chdir(".."); err != nil { // to the module of stackgen
		return nil, err
	}
	found := map[string]library{}
	for _, system := range []string{"linux", "darwin", "windows"} {
		if err := collect(ctx, system, found); err != nil {
			return nil, fmt.Errorf("%s: %w", system, err)
		}
	}
	libraries := slices.SortedFunc(maps.Values(found), func(a, b library) int { return cmp.Compare(a.name, b.name) })
	golang, err := goItself(ctx)
	if err != nil {
		return nil, err
	}
	return write(append(libraries, golang)), nil
}

// collect adds what a build for the system links, by the file that holds the licence.
func collect(ctx context.Context, system string, found map[string]library) error {
	os.Setenv("GOOS", system)
	os.Setenv("CGO_ENABLED", "0")
	classifier, err := licenses.NewClassifier(0.9)
	if err != nil {
		return err
	}
	libs, err := licenses.Libraries(ctx, classifier, false, []string{"philipp.info/stackgen"}, "./cmd/stackgen")
	if err != nil {
		return err
	}
	for _, lib := range libs {
		// Of a module whose packages differ between systems the first one stands for all.
		if _, known := found[lib.LicensePath]; known {
			continue
		}
		licence, _, err := classifier.Identify(lib.LicensePath)
		if err != nil {
			return fmt.Errorf("%s: %w", lib.Name(), err)
		}
		if !slices.Contains(allowed, licence) {
			return fmt.Errorf("%s %s is under %s, which is none of %s", lib.Name(), lib.Version(), licence, strings.Join(allowed, ", "))
		}
		notices, _ := filepath.Glob(filepath.Join(filepath.Dir(lib.LicensePath), "NOTICE*")) // the pattern is well formed
		texts, err := read(append([]string{lib.LicensePath}, notices...)...)
		if err != nil {
			return err
		}
		found[lib.LicensePath] = library{lib.Name(), lib.Version(), licence, texts}
	}
	return nil
}

func read(paths ...string) (texts []string, err error) {
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		var lines []string
		for line := range strings.Lines(string(text)) {
			lines = append(lines, strings.TrimRight(line, " \t\r\n"))
		}
		texts = append(texts, strings.Trim(strings.Join(lines, "\n"), "\n"))
	}
	return texts, nil
}

// goItself is the standard library and the runtime, which every Go program holds.
func goItself(ctx context.Context) (library, error) {
	root, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return library{}, err
	}
	texts, err := read(filepath.Join(strings.TrimSpace(string(root)), "LICENSE"))
	return library{"the Go standard library and runtime", "", "BSD-3-Clause", texts}, err
}

func write(libraries []library) []byte {
	var b bytes.Buffer
	b.WriteString("# Third-party software in stackgen\n\nMade by `make licences`.\n\n| package | version | licence |\n| --- | --- | --- |\n")
	users := map[string][]string{}
	var texts []string
	for _, l := range libraries {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", l.name, l.version, l.licence)
		for _, text := range l.texts {
			if users[text] == nil {
				texts = append(texts, text)
			}
			users[text] = append(users[text], l.name)
		}
	}
	for _, text := range texts {
		fmt.Fprintf(&b, "\n## %s\n\n```text\n%s\n```\n", strings.Join(users[text], ", "), text)
	}
	return b.Bytes()
}
