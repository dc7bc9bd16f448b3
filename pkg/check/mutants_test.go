package check_test

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/deployment/compose/composego"
	"philipp.info/stackgen/pkg/report"
)

// mutants is how many broken trees TestMutants checks; MUTANTS=1000 for more.
const mutants = 200

// A deployment that somebody broke in any way is checked to the end: no panic, no rule that cannot cope, in bounded time
// and memory.
func TestMutants(t *testing.T) {
	count, seed := mutants, uint64(time.Now().UnixNano())
	for name, into := range map[string]func(uint64){
		"MUTANTS":      func(n uint64) { count = int(n) },
		"MUTANTS_SEED": func(n uint64) { seed = n },
	} {
		if text := os.Getenv(name); text != "" {
			n, err := strconv.ParseUint(text, 10, 63)
			if err != nil {
				t.Fatal(err)
			}
			into(n)
		}
	}
	t.Logf("MUTANTS_SEED=%d", seed)
	all := deployments(t)
	var most uint64
	var longest time.Duration
	for i := range count {
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		d := all[random.IntN(len(all))]
		tree := d.Forms[random.IntN(len(d.Forms))].Tree
		var did []string
		for range 1 + random.IntN(3) {
			var what string
			tree, what = mutate(random, tree)
			did = append(did, what)
		}
		name := fmt.Sprintf("%d, %s: %s", i, d.Name, strings.Join(did, "; "))
		done := make(chan []string, 1)
		began := time.Now()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		go func() {
			var wrong []string
			defer func() {
				if p := recover(); p != nil {
					wrong = append(wrong, fmt.Sprint("panic: ", p))
				}
				done <- wrong
			}()
			opened, findings := compose.OpenWith(tree, compose.Options{Files: d.Files, Name: "matrix"})
			found, _ := check.Run(opened, composego.Judge)
			findings = append(findings, found...)
			if err := report.Write(io.Discard, findings, report.Summary{}, report.Options{Verbose: true}); err != nil {
				wrong = append(wrong, err.Error())
			}
			for _, f := range findings {
				if _, known := check.Find(f.Rule); !known && f.Rule != "yaml" || f.Message == "" || strings.Contains(f.Message, "of a fault in stackgen") {
					wrong = append(wrong, fmt.Sprintf("%s: %s: %s", f.Rule, f.Pos(), f.Message))
				}
				if len(f.Sites) == 0 || f.Pos().File == "" {
					wrong = append(wrong, fmt.Sprintf("%s has no place: %s", f.Rule, f.Message))
				}
			}
		}()
		select {
		case wrong := <-done:
			for _, w := range wrong {
				t.Errorf("%s\n%s", name, w)
			}
		case <-time.After(2 * time.Minute):
			t.Fatalf("%s: hangs", name)
		}
		runtime.ReadMemStats(&after)
		most, longest = max(most, after.TotalAlloc-before.TotalAlloc), max(longest, time.Since(began))
		if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 1<<30 {
			t.Errorf("%s: %d MB were allocated", name, allocated>>20)
		}
	}
	t.Logf("%d trees; the longest took %v, the most %d MB", count, longest, most>>20)
}

// mutate breaks one file of a tree, and says how.
func mutate(random *rand.Rand, tree fstest.MapFS) (fstest.MapFS, string) {
	tree = maps.Clone(tree)
	names := slices.Sorted(maps.Keys(tree))
	if len(names) == 0 {
		return tree, "nothing is left"
	}
	name, other := names[random.IntN(len(names))], names[random.IntN(len(names))]
	data := slices.Clone(tree[name].Data)
	lines := bytes.SplitAfter(data, []byte("\n"))
	at, to := random.IntN(len(lines)), random.IntN(len(lines))
	put := func(data []byte) { tree[name] = &fstest.MapFile{Data: data, Mode: tree[name].Mode} }
	ways := []struct {
		what string
		do   func()
	}{
		{"gone", func() { delete(tree, name) }},
		{"called " + name + ".bak", func() { tree[name+".bak"] = tree[name]; delete(tree, name) }},
		{"a directory", func() { tree[name] = &fstest.MapFile{Mode: fs.ModeDir | 0o755} }},
		{"as " + other, func() { tree[name] = tree[other] }},
		{"in the place of " + other, func() { tree[name], tree[other] = tree[other], tree[name] }},
		{"without a line", func() { put(bytes.Join(slices.Delete(slices.Clone(lines), at, at+1), nil)) }},
		{"with a line twice", func() { put(bytes.Join(slices.Insert(slices.Clone(lines), at, lines[at]), nil)) }},
		{"with a line elsewhere", func() { put(bytes.Join(slices.Insert(slices.Clone(lines), to, lines[at]), nil)) }},
		{"with two lines swapped", func() {
			swapped := slices.Clone(lines)
			swapped[at], swapped[to] = swapped[to], swapped[at]
			put(bytes.Join(swapped, nil))
		}},
		{"indented", func() {
			indented := slices.Clone(lines)
			indented[at] = append([]byte("  "), indented[at]...)
			put(bytes.Join(indented, nil))
		}},
		{"cut off", func() { put(data[:random.IntN(len(data)+1)]) }},
		{"with another byte", func() {
			if len(data) > 0 {
				data[random.IntN(len(data))] = byte(random.IntN(256))
			}
			put(data)
		}},
		{"with a word for a word", func() {
			words := []string{"[]", "{}", "null", "''", "-1", "1e999", "*x", "&x [*x]", "${", "${A:-${A}}", "$", "true", "[[[[", "!!binary x", "a: b: c", "\x00", "99999999999999999999", "/", "..", "://", "%zz", "[::", "(?", "*"}
			if fields := bytes.Fields(data); len(fields) > 0 {
				put(bytes.Replace(data, fields[random.IntN(len(fields))], []byte(words[random.IntN(len(words))]), 1))
			}
		}},
	}
	way := ways[random.IntN(len(ways))]
	way.do()
	return tree, name + " " + way.what
}
