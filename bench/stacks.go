//go:build linux

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

const (
	// The reference deployment, and every secret of it that stackgen cannot make.
	example  = "examples/phil-app/stack.yaml"
	external = `bridges.telegram.api_id: "1234567"
bridges.telegram.api_hash: "0123456789abcdef0123456789abcdef"
auth.upstream.keycloak.client_secret: "placeholder-client-secret"
backup.heartbeat_url: "https://uptime.example.org/api/push/placeholder"
`
)

// The bounds are on the CPU time, about half above what was measured: they are there to find what became
// slower, not to praise what is fast. flat is for one spec among ten times as many.
const (
	boundUnchanged = 30
	boundChanged   = 32
	boundValidate  = 48
	boundCheck     = 66
	flat           = 1.3
)

// single prepares the runs on one spec below dir: a/ is rendered and stays as it is, b/ is changed before
// each run.
func (b *bench) single(stackgen, dir string) ([]*task, error) {
	spec, err := os.ReadFile(example)
	if err != nil {
		return nil, err
	}
	other := append(bytes.Clone(spec), "\nsynapse: {max_upload_size: 77M}\n"...)
	same, changing := dir+"/a", dir+"/b"
	render := func(dir string) []string {
		return []string{stackgen, "render", dir + "/stack.yaml", "-o", dir + "/out"}
	}
	for _, dir := range []string{same, changing} {
		if err := b.stack(dir, spec); err != nil {
			return nil, err
		}
		if err := b.once(&task{name: "render", cmd: render(dir)}); err != nil {
			return nil, err
		}
	}
	reads, err := b.list(same, nil)
	if err != nil {
		return nil, err
	}
	before, err := b.contents(changing + "/out")
	if err != nil {
		return nil, err
	}
	if err := b.put(changing+"/stack.yaml", other); err != nil {
		return nil, err
	}
	if err := b.once(&task{name: "render", cmd: render(changing)}); err != nil {
		return nil, err
	}
	writes, err := b.list(changing, before)
	if err != nil {
		return nil, err
	}
	specs, turn := [][]byte{other, spec}, 0 // other is rendered now
	change := func() error {
		turn++
		return b.put(changing+"/stack.yaml", specs[turn%2])
	}

	floorRead := &task{name: "floor, unchanged", cmd: []string{b.floor, reads}}
	floorWrite := &task{name: "floor, changed", cmd: []string{b.floor, writes}}
	tasks := []*task{
		floorRead,
		{name: "render, unchanged", cmd: render(same), base: floorRead, bound: boundUnchanged},
		floorWrite,
		{name: "render, changed", cmd: render(changing), setup: change, base: floorWrite, bound: boundChanged},
		{name: "validate", cmd: []string{stackgen, "validate", same + "/stack.yaml"}, base: floorRead, bound: boundValidate},
		{name: "check", cmd: []string{stackgen, "check", same + "/out"}, base: floorRead, bound: boundCheck},
		{name: "version", cmd: []string{stackgen, "version"}, base: floorRead},
	}
	if _, err := b.try(stackgen, "diff", "--help"); err == nil {
		tasks = append(tasks, &task{name: "diff", cmd: []string{stackgen, "diff", same + "/stack.yaml", "-o", same + "/out"}, base: floorRead})
	}
	if b.compose != "" {
		tasks = append(tasks, &task{name: "docker compose config -q", cmd: []string{b.compose, "-f", same + "/out/docker-compose.yml", "config", "-q"}, base: floorRead})
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
	list := filepath.Join(b.dir, strings.ReplaceAll(dir, "/", "-")+".list")
	return list, os.WriteFile(list, []byte(strings.Join(lines, "\n")+"\n"), 0o600)
}
