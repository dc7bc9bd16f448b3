// Command upstream tells what the newest release of each program has that our tables do not know yet: keys,
// defaults, refusals. It asks the package registries, prints, and writes nothing.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"philipp.info/stackgen/pkg/output"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if !run(ctx, ".", os.Getenv, output.Product(os.Stdout)) {
		os.Exit(1)
	}
}

// run compares every program for the tree at root and prints the report; false when a registry did not answer or
// what it gave cannot be read.
func run(ctx context.Context, root string, getenv func(string) string, w io.Writer) bool {
	list, err := programs(root)
	if err != nil {
		fmt.Fprintln(w, "upstream:", err)
		return false
	}
	r := newRegistries(getenv)
	results := make([]result, len(list))
	var wait sync.WaitGroup
	few := make(chan struct{}, 3) // registries are asked, not flooded
	for i, p := range list {
		wait.Go(func() {
			few <- struct{}{}
			defer func() { <-few }()
			results[i] = compare(ctx, root, r, p)
		})
	}
	wait.Wait()
	return report(w, results)
}

// result is what became of one program.
type result struct {
	program
	newest  release
	changes []change
	err     error
}

// compare asks for the newest release of a program and holds what it reads against our table and against the
// release that the table was read from.
func compare(ctx context.Context, root string, r *registries, p program) result {
	res := result{program: p}
	if p.from == nil {
		return res
	}
	if res.newest, res.err = p.from(ctx, r, ""); res.err != nil || p.read == nil || older(res.newest.version, p.ours) {
		return res
	}
	now, err := readRelease(ctx, p, res.newest)
	if err != nil {
		res.err = err
		return res
	}
	before := now
	if p.ours != "" && !sameVersion(p.ours, res.newest.version) {
		old, err := p.from(ctx, r, p.ours)
		if err == nil {
			before, err = readRelease(ctx, p, old)
		}
		if err != nil {
			res.changes = append(res.changes, change{"not compared", "what changed since " + p.ours + ": " + err.Error()})
		}
	}
	known, err := p.known(root)
	if err != nil {
		res.err = err
		return res
	}
	res.changes = append(res.changes, differences(p.under, before, now, known)...)
	return res
}

func readRelease(ctx context.Context, p program, r release) (config, error) {
	files, err := r.open(ctx, p.files)
	if err != nil {
		return config{}, err
	}
	if !slices.ContainsFunc(slices.Collect(maps.Keys(files)), func(name string) bool { return matches(name, p.files[:1]) }) {
		return config{}, fmt.Errorf("%s %s has no %s", p.name, r.version, p.files[0])
	}
	c, err := p.read(files)
	if err != nil {
		return config{}, fmt.Errorf("%s %s: %w", p.name, r.version, err)
	}
	if empty := len(bytes.TrimSpace(files[p.files[0]])) == 0; len(c.keys) == 0 && !empty {
		return config{}, fmt.Errorf("%s %s: no key found in %s", p.name, r.version, p.files[0])
	}
	for name, src := range files {
		if strings.HasPrefix(name, "CHANGE") {
			c.advisories = append(c.advisories, advised(string(src))...)
		}
	}
	return c, nil
}

// keyTable is the file of a table below pkg/component/keys.
func keyTable(root, name string) string {
	return filepath.Join(root, "pkg/component/keys", name+".yaml")
}
