// Command compare runs `check` of two builds over many trees, and prints where their findings differ.
package main

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// names are those by which Compose knows a directory.
var names = []string{"compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"}

func main() {
	old := flag.String("old", "", "the `PROGRAM` that was")
	now := flag.String("new", "", "the `PROGRAM` that is")
	flag.Parse()
	differ, err := run(os.Stdout, *old, *now, flag.Args())
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(3)
	case differ:
		os.Exit(1)
	}
}

// run compares in every tree below the directories, and reports whether one differs.
func run(out io.Writer, old, now string, dirs []string) (differ bool, err error) {
	var trees []string
	for _, dir := range dirs {
		below, err := find(dir)
		if err != nil {
			return false, err
		}
		trees = append(trees, below...)
	}
	if len(trees) == 0 {
		return false, fmt.Errorf("no compose file below %s", strings.Join(dirs, ", "))
	}
	said := make([]comparison, len(trees))
	var work sync.WaitGroup
	next := make(chan int)
	for range runtime.NumCPU() {
		work.Go(func() {
			for i := range next {
				said[i] = compare(check(old, trees[i]), check(now, trees[i]))
			}
		})
	}
	for i := range trees {
		next <- i
	}
	close(next)
	work.Wait()
	total := make(map[string]*count)
	n := 0
	for i, c := range said {
		if !c.differs() {
			continue
		}
		n++
		fmt.Fprintf(out, "%s\n", trees[i])
		c.print(out)
		c.add(total)
	}
	for _, rule := range slices.Sorted(maps.Keys(total)) {
		t := total[rule]
		fmt.Fprintf(out, "%-34s %4d gone %4d new %4d in other words\n", rule, t.gone, t.new, t.reworded)
	}
	fmt.Fprintf(out, "%d of %d trees differ\n", n, len(trees))
	return n > 0, nil
}

// find lists the directories that hold a compose file, none of them below another.
func find(dir string) (trees []string, err error) {
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.IsDir() {
			return err
		}
		for _, name := range names {
			if _, err := os.Stat(filepath.Join(path, name)); err == nil {
				trees = append(trees, path)
				return fs.SkipDir
			}
		}
		return nil
	})
	return trees, err
}

// found is what both builds have of a finding; what only one knows, such as edits, is no difference.
type found struct {
	Rule, Severity, Status, Message, Fix string
	Sites                                []struct {
		File, Note   string
		Line, Column int
	}
}

// String is all of it in one line.
func (f found) String() string {
	text, _ := json.Marshal(f)
	return string(text)
}

// key is the same for a finding that was only said in other words.
func (f found) key() string {
	if len(f.Sites) == 0 {
		return f.Rule
	}
	return fmt.Sprintf("%s %s:%d:%d", f.Rule, f.Sites[0].File, f.Sites[0].Line, f.Sites[0].Column)
}

// check are the findings of a program; what it says otherwise is one of the rule "".
func check(program, tree string) []found {
	cmd := exec.Command(program, "check", "--format", "json", ".")
	cmd.Dir = tree
	var stderr strings.Builder
	cmd.Stderr = &stderr
	text, err := cmd.Output()
	var said struct{ Findings []found }
	if json.Unmarshal(text, &said) != nil {
		return []found{{Message: fmt.Sprint(err, "\n", string(text), stderr.String())}}
	}
	return said.Findings
}

type comparison struct {
	gone, new []found
	reworded  [][2]found
}

func compare(old, now []found) (c comparison) {
	counts := make(map[string]int)
	for _, f := range now {
		counts[f.String()]++
	}
	for _, f := range old {
		if counts[f.String()]--; counts[f.String()] < 0 {
			c.gone = append(c.gone, f)
		}
	}
	counts = make(map[string]int)
	for _, f := range old {
		counts[f.String()]++
	}
	for _, f := range now {
		if counts[f.String()]--; counts[f.String()] < 0 {
			c.new = append(c.new, f)
		}
	}
	for i := 0; i < len(c.gone); i++ {
		j := slices.IndexFunc(c.new, func(f found) bool { return f.key() == c.gone[i].key() })
		if j < 0 {
			continue
		}
		c.reworded = append(c.reworded, [2]found{c.gone[i], c.new[j]})
		c.gone, c.new = slices.Delete(c.gone, i, i+1), slices.Delete(c.new, j, j+1)
		i--
	}
	return c
}

func (c comparison) differs() bool { return len(c.gone)+len(c.new)+len(c.reworded) > 0 }

func (c comparison) print(out io.Writer) {
	for _, f := range c.gone {
		fmt.Fprintf(out, "  - %s\n", f)
	}
	for _, f := range c.new {
		fmt.Fprintf(out, "  + %s\n", f)
	}
	for _, pair := range c.reworded {
		fmt.Fprintf(out, "  < %s\n  > %s\n", pair[0], pair[1])
	}
}

// count is how often a rule differs, and how.
type count struct{ gone, new, reworded int }

func (c comparison) add(total map[string]*count) {
	of := func(f found) *count {
		rule := cmp.Or(f.Rule, "(no findings)")
		if total[rule] == nil {
			total[rule] = new(count)
		}
		return total[rule]
	}
	for _, f := range c.gone {
		of(f).gone++
	}
	for _, f := range c.new {
		of(f).new++
	}
	for _, pair := range c.reworded {
		of(pair[0]).reworded++
	}
}
