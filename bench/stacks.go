package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// stack is the reference deployment, with every secret that stackgen cannot make.
const (
	example  = "examples/phil-app/stack.yaml"
	external = `bridges.telegram.api_id: "1234567"
bridges.telegram.api_hash: "0123456789abcdef0123456789abcdef"
auth.upstream.keycloak.client_secret: "placeholder-client-secret"
backup.heartbeat_url: "https://uptime.example.org/api/push/placeholder"
`
)

// The bounds are on the CPU time against the floor, about half above what was measured: they are there to
// find what became slower, not to praise what is fast. flat is for a spec among ten times as many.
const (
	boundUnchanged = 18
	boundChanged   = 15
	boundValidate  = 40
	boundCheck     = 40
	flat           = 1.3
)

// single prepares the runs on one spec: a/ is rendered and stays as it is, b/ is changed before each run.
func (b *bench) single() ([]*task, error) {
	spec, err := os.ReadFile(example)
	if err != nil {
		return nil, err
	}
	other := append(bytes.Clone(spec), "\nsynapse: {max_upload_size: 77M}\n"...)
	for _, dir := range []string{"a", "b"} {
		if err := b.stack(dir, spec); err != nil {
			return nil, err
		}
		if err := b.render(dir); err != nil {
			return nil, err
		}
	}
	reads, err := b.list("a", nil)
	if err != nil {
		return nil, err
	}
	before, err := b.contents("b/out")
	if err != nil {
		return nil, err
	}
	if err := b.put("b/stack.yaml", other); err != nil {
		return nil, err
	}
	if err := b.render("b"); err != nil {
		return nil, err
	}
	writes, err := b.list("b", before)
	if err != nil {
		return nil, err
	}
	specs, turn := [][]byte{other, spec}, 0 // other is rendered now
	change := func() error {
		turn++
		return b.put("b/stack.yaml", specs[turn%2])
	}

	start := &task{name: "version", cmd: []string{b.stackgen, "version"}}
	floorRead := &task{name: "floor, unchanged", cmd: []string{b.floor, reads}}
	floorWrite := &task{name: "floor, changed", cmd: []string{b.floor, writes}}
	tasks := []*task{
		floorRead,
		{name: "render, unchanged", cmd: []string{b.stackgen, "render", "a/stack.yaml", "-o", "a/out"}, base: floorRead, bound: boundUnchanged},
		floorWrite,
		{name: "render, changed", cmd: []string{b.stackgen, "render", "b/stack.yaml", "-o", "b/out"}, setup: change, base: floorWrite, bound: boundChanged},
		{name: "validate", cmd: []string{b.stackgen, "validate", "a/stack.yaml"}, base: floorRead, bound: boundValidate},
		{name: "check", cmd: []string{b.stackgen, "check", "a/out"}, base: floorRead, bound: boundCheck},
		start,
	}
	if b.compose != "" {
		tasks = append(tasks, &task{name: "docker compose config -q", cmd: []string{b.compose, "-f", "a/out/docker-compose.yml", "config", "-q"}, base: floorRead})
	}
	return tasks, nil
}

// lots prepares runs on 1, 10, 100 and so on specs that were rendered before.
func (b *bench) lots(most int) ([]*task, error) {
	spec, err := os.ReadFile(example)
	if err != nil {
		return nil, err
	}
	var specs []string
	for i := range most {
		dir := fmt.Sprintf("many/s%04d", i)
		if err := b.stack(dir, bytes.Replace(spec, []byte("name: matrix "), fmt.Appendf(nil, "name: s%04d ", i), 1)); err != nil {
			return nil, err
		}
		specs = append(specs, dir+"/stack.yaml")
	}
	if err := b.once(&task{name: "first render", cmd: append([]string{b.stackgen, "render", "-o", "many/out"}, specs...)}); err != nil {
		return nil, err
	}
	var tasks []*task
	for _, args := range [][]string{{"validate"}, {"render", "-o", "many/out"}} {
		var fewer *task
		for n := 1; n <= most; n *= 10 {
			t := &task{name: fmt.Sprintf("%s, %d %s", args[0], n, map[bool]string{true: "spec", false: "specs"}[n == 1]), cmd: slices.Concat([]string{b.stackgen}, args, specs[:n]), per: n, base: fewer}
			if fewer != nil {
				t.bound = flat
			}
			tasks, fewer = append(tasks, t), t
		}
	}
	return tasks, nil
}

func (b *bench) stack(dir string, spec []byte) error {
	if err := os.MkdirAll(filepath.Join(b.dir, dir), 0o700); err != nil {
		return err
	}
	if err := b.put(dir+"/secrets.yaml", []byte(external)); err != nil {
		return err
	}
	return b.put(dir+"/stack.yaml", spec)
}

func (b *bench) put(name string, data []byte) error {
	return os.WriteFile(filepath.Join(b.dir, name), data, 0o600)
}

func (b *bench) render(dir string) error {
	return b.once(&task{name: "render", cmd: []string{b.stackgen, "render", dir + "/stack.yaml", "-o", dir + "/out"}})
}

func (b *bench) contents(dir string) (map[string]string, error) {
	files := make(map[string]string)
	err := fs.WalkDir(os.DirFS(b.dir), dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(b.dir, name))
		files[name] = string(data)
		return err
	})
	return files, err
}

// list writes the list of what floor has to read, and to write where files differ from before.
func (b *bench) list(dir string, before map[string]string) (string, error) {
	now, err := b.contents(dir)
	if err != nil {
		return "", err
	}
	var lines []string
	for name, data := range now {
		line := "read " + name
		if old, ok := before[name]; ok && old != data {
			line = "write " + name + " " + name
		}
		lines = append(lines, line)
		if strings.HasSuffix(name, "/manifest.json") && before != nil {
			lines = append(lines, "write "+name+" "+name+".pending")
		}
	}
	slices.Sort(lines)
	list := filepath.Join(b.dir, dir+".list")
	return list, os.WriteFile(list, []byte(strings.Join(lines, "\n")+"\n"), 0o600)
}
