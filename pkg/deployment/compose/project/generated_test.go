package project

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Compose's reading and ours agree on made-up projects of several files: 100, or as many as PROJECTS says (make
// conformance: 1000).
func TestGenerated(t *testing.T) {
	projects := 100
	if text := os.Getenv("PROJECTS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		projects = n
	}
	taken := 0
	for seed := range uint64(projects) {
		dir := filepath.Join(t.TempDir(), "p")
		files, names := generate(seed)
		write(t, dir, files)
		if judge(t, dir, names) {
			taken++
		}
		if t.Failed() {
			t.Fatalf("seed %d, -f %v:\n%s", seed, names, show(files))
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	if taken < projects*3/4 {
		t.Errorf("Compose takes %d of %d projects; the others prove little", taken, projects)
	}
	t.Logf("Compose takes %d of %d projects, and refuses the others as we do", taken, projects)
}

type generator struct {
	*rand.Rand
	files map[string]string
	n     int
}

func generate(seed uint64) (map[string]string, []string) {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 1)), files: make(map[string]string)}
	g.files[".env"] = "TAG=1.29\nWORD='it is'\nEMPTY=\nPORT=8080\nPATH_TO=./data\nNESTED=${TAG}-x\nON=true\n"
	if g.chance(3) {
		g.files[".env"] += "COMPOSE_PROFILES=" + pick(g, "extra", "extra, debug", "*", "") + "\n"
	}
	main := "compose.yaml"
	g.file(main, "", 2, true)
	var names []string
	switch g.IntN(4) {
	case 0:
		g.file("compose.override.yaml", "", 0, false)
	case 1:
		g.file("prod.yml", "", 1, false)
		g.file("more/extra.yml", "", 0, false)
		names = []string{main, "prod.yml", "more/extra.yml"}
	case 2:
		g.file("prod.yml", "", 0, false)
		g.files[".env"] += "COMPOSE_FILE=compose.yaml:prod.yml\n"
	}
	for _, side := range []string{"a.env", "b.env", "labels"} { // what the others name
		for _, dir := range []string{"", "sub/", "lib/", "sub/lib/", "sub/sub/", "lib/lib/", "lib/sub/", "more/"} {
			g.files[dir+side] = "FROM_" + strings.ToUpper(side[:1]) + "=" + dir + "\nTWICE=" + side + "${TAG}\nSPACE = ' a b'\n"
		}
	}
	return g.files, names
}

func (g *generator) chance(n int) bool { return g.IntN(n) == 0 }

func pick[T any](g *generator, of ...T) T { return of[g.IntN(len(of))] }

var services = []string{"a", "b", "c", "d"}

// file makes a compose file; dir is that of the project it is part of. more is how many levels it may name others.
func (g *generator) file(name, dir string, more int, complete bool) {
	var b strings.Builder
	if complete && g.chance(2) {
		b.WriteString("name: generated\n")
	}
	if g.chance(3) {
		fmt.Fprintf(&b, "x-common: &common\n  init: true\n%s", g.attributes("  ", nil, 2, false))
	}
	anchor := strings.Contains(b.String(), "&common")
	if more > 0 && g.chance(2) {
		g.include(&b, dir, more)
	}
	b.WriteString("services:\n")
	made := []string{}
	for _, s := range services {
		if !complete && g.chance(2) {
			continue
		}
		fmt.Fprintf(&b, "  %s:\n", s)
		if anchor && g.chance(2) {
			b.WriteString("    <<: *common\n")
		}
		if complete {
			b.WriteString("    image: nginx:${TAG}\n")
		}
		switch {
		case g.chance(5) && len(made) > 0:
			fmt.Fprintf(&b, "    extends: %s\n", pick(g, pick(g, made...), "{service: "+pick(g, made...)+"}"))
		case g.chance(5) && more > 0:
			g.extends(&b, dir, more)
		}
		b.WriteString(g.attributes("    ", made, 1+g.IntN(5), !complete))
		made = append(made, s)
	}
	if len(made) == 0 {
		b.WriteString("    {}\n")
	}
	b.WriteString("networks: {front: {}, back: {" + pick(g, "", "internal: true", "labels: [x=1, y=2]", "labels: {x: 3}", "name: other", "ipam: {config: [{subnet: 10.0.0.0/24}]}", "ipam: {config: [{subnet: 10.0.0.0/24, gateway: 10.0.0.1}]}") + "}}\n")
	b.WriteString("volumes: {data: {" + pick(g, "", "driver: local", "labels: {a: b}", "driver: local, driver_opts: {type: none, o: bind, device: ./vol}") + "}, cache: {}}\n")
	b.WriteString("secrets: {key: {file: ./secret" + pick(g, "", ".txt") + "}, token: {environment: TAG}}\n")
	word := "" // Compose refuses one of an included file
	if name == "compose.yaml" {
		word = ", word: {environment: " + pick(g, "WORD", "NOBODY") + "}"
	}
	b.WriteString("configs: {conf: {file: ./conf" + pick(g, "", ".d/conf") + "}, text: {content: \"a: ${TAG}\\nb: $${TAG}\\n\"}" + word + "}\n")
	if !complete && g.chance(4) {
		b.WriteString("---\nservices: {a: {labels: {second: document}}}\n")
	}
	g.files[name] = b.String()
}

func (g *generator) include(b *strings.Builder, dir string, more int) {
	sub := pick(g, "sub", "lib")
	g.n++
	file := sub + "/inc" + strconv.Itoa(g.n) + ".yml"
	at := filepath.Join(dir, sub)
	g.file(filepath.Join(dir, file), at, more-1, true)
	env := filepath.Join(at, ".env")
	if g.chance(2) {
		g.files[env] = "TAG=9\nINNER=" + pick(g, "1", "${TAG}", "\"${NESTED:-x}\"") + "\n"
	}
	fmt.Fprintf(b, "include:\n")
	switch {
	case g.chance(3) && dir == "": // relative to where Compose was called, below the first level
		over := sub + "/over" + strconv.Itoa(g.n) + ".yml"
		g.file(over, at, 0, false)
		extra := pick(g, "", ", project_directory: "+pick(g, "more", "sub", "."), ", env_file: ["+sub+"/a.env, "+sub+"/b.env]")
		fmt.Fprintf(b, "  - {path: [%s, %s]%s}\n", file, over, extra)
	case g.chance(2):
		fmt.Fprintf(b, "  - path: %s\n", file)
	default:
		fmt.Fprintf(b, "  - %s\n", file)
	}
	if g.chance(3) {
		fmt.Fprintf(b, "  - %s\n", file)
	}
}

func (g *generator) extends(b *strings.Builder, dir string, more int) {
	g.n++
	file := pick(g, "", "lib/") + "base" + strconv.Itoa(g.n) + ".yml"
	g.file(filepath.Join(dir, file), filepath.Join(dir, filepath.Dir(file)), more-1, true)
	fmt.Fprintf(b, "    extends: {file: %s, service: %s}\n", pick(g, "./", "")+file, pick(g, services...))
}

// attributes are some keys of a service; earlier are services that it may name.
func (g *generator) attributes(indent string, earlier []string, n int, tags bool) string {
	var b strings.Builder
	all := slices.Sorted(maps.Keys(attributes))
	g.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, key := range all {
		if n--; n < 0 {
			break
		}
		value := attributes[key](g, earlier)
		if value == nil {
			continue
		}
		src, err := json.Marshal(value)
		if err != nil {
			panic(err)
		}
		tag := ""
		if tags && g.chance(6) {
			tag = pick(g, "!override ", "!reset ")
		}
		fmt.Fprintf(&b, "%s%s: %s%s\n", indent, key, tag, src)
	}
	return b.String()
}

type object = map[string]any

func some(g *generator, of ...any) []any {
	g.Shuffle(len(of), func(i, j int) { of[i], of[j] = of[j], of[i] })
	return of[:1+g.IntN(len(of))]
}

// keyed is a list or a mapping of a few names.
func keyed(g *generator) any {
	if g.chance(2) {
		return some(g, "A=1", "B=${TAG}", "C", "D=", "TAG", "E=x=y", "F=$${no}", "G=${UNSET:-a b}", "H=${EMPTY:-${WORD}}")
	}
	m := object{}
	for _, key := range some(g, "A", "B", "C", "TAG", "E") {
		m[key.(string)] = pick[any](g, "1", 2, true, nil, "${PORT}", "a=b", 1.5, "$${A}", "${UNSET-dflt}", "${TAG:+set}")
	}
	return m
}

func labels(g *generator) any {
	if g.chance(2) {
		return some(g, "x=1", "y=${TAG}", "traefik.enable=true", "r.rule=Host(`a`)", "z", "x=2")
	}
	return object{"x": pick[any](g, "3", 4, true), pick(g, "y", "w"): "${WORD}"}
}

func mounts(name string) func(*generator, []string) any {
	return func(g *generator, _ []string) any {
		return some(g, name, object{"source": name, "target": "/etc/" + name}, object{"source": name})
	}
}

var attributes = map[string]func(*generator, []string) any{
	"environment": func(g *generator, _ []string) any { return keyed(g) },
	"labels":      func(g *generator, _ []string) any { return labels(g) },
	"annotations": func(g *generator, _ []string) any { return labels(g) },
	"sysctls": func(g *generator, _ []string) any {
		return pick[any](g, []any{"net.core.somaxconn=1024", "kernel.x=1"}, object{"net.core.somaxconn": 2048})
	},
	"env_file": func(g *generator, _ []string) any {
		return pick[any](g, "a.env", "./b.env", []any{"a.env", "b.env"}, []any{object{"path": "a.env", "required": false}, "b.env"},
			[]any{object{"path": "gone.env", "required": false}})
	},
	"label_file": func(g *generator, _ []string) any { return pick[any](g, "labels", []any{"./labels"}) },
	"command": func(g *generator, _ []string) any {
		return pick[any](g, "run ${TAG}", []any{"run", "--x=${WORD}"}, []any{})
	},
	"entrypoint": func(g *generator, _ []string) any { return pick[any](g, "/init ${TAG}", []any{"/init", "a b"}) },
	"ports": func(g *generator, _ []string) any {
		return some(g, "80:80", "${PORT}:80", "127.0.0.1:81:81", "8000-8002:9000-9002", "8001:9001", 443, "53:53/udp",
			object{"target": 80, "published": "80"}, object{"target": 90, "published": 91, "host_ip": "127.0.0.1"}, object{"target": "${PORT}", "protocol": "udp"}, "[::1]:99:99")
	},
	"expose": func(g *generator, _ []string) any { return some(g, "80", 81, "90") },
	"volumes": func(g *generator, _ []string) any {
		return some(g, "./a:/a", "./b:/a:ro", "${PATH_TO}/c:/c", "data:/d", "data:/d:ro", "/abs:/e", "cache:/f/", "~/h:/h", "../up:/up", ".:/dot",
			object{"type": "bind", "source": "./l", "target": "/a", "read_only": "${ON}"}, object{"type": "volume", "source": "cache", "target": "/d"}, object{"type": "tmpfs", "target": "/t"},
			object{"type": "bind", "source": "n", "target": "/n", "bind": object{"create_host_path": false}})
	},
	"tmpfs":   func(g *generator, _ []string) any { return pick[any](g, "/tmp1", []any{"/tmp1", "/tmp2:size=1m"}) },
	"secrets": mounts("key"),
	"configs": mounts("conf"),
	"networks": func(g *generator, _ []string) any {
		return pick[any](g, []any{"front"}, []any{"front", "back"}, object{"front": nil, "back": object{"aliases": some(g, "one", "two", "one")}}, object{"front": object{"ipv4_address": "10.0.0.9"}})
	},
	"depends_on": func(g *generator, earlier []string) any {
		if len(earlier) == 0 {
			return nil
		}
		name := pick(g, earlier...)
		return pick[any](g, []any{name}, object{name: object{"condition": "service_healthy"}}, object{name: object{"condition": "service_started", "required": false, "restart": true}})
	},
	"build": func(g *generator, _ []string) any {
		return pick[any](g, "./src", object{"context": "./src", "args": pick[any](g, []any{"X=1", "Y"}, object{"X": "${TAG}"})}, object{"dockerfile": "other.Dockerfile"},
			object{"context": "https://example.org/a.git", "labels": object{"b": "c"}}, object{"context": ".", "additional_contexts": []any{"r=./r", "i=docker-image://alpine"}},
			object{"additional_contexts": object{"r": "./s"}, "tags": []any{"a:1", "a:1"}})
	},
	"logging": func(g *generator, _ []string) any {
		return pick[any](g, object{"driver": "json-file", "options": object{"max-size": "${PORT}k"}}, object{"driver": "syslog"}, object{"options": object{"max-file": "3"}})
	},
	"ulimits": func(g *generator, _ []string) any {
		return pick[any](g, object{"nofile": 100, "nproc": object{"soft": 1, "hard": 2}}, object{"nofile": object{"soft": 5, "hard": 6}}, object{"nproc": 3})
	},
	"dns":        func(g *generator, _ []string) any { return pick[any](g, "1.1.1.1", []any{"1.1.1.1", "9.9.9.9"}) },
	"dns_search": func(g *generator, _ []string) any { return pick[any](g, "a.org", []any{"b.org"}) },
	"extra_hosts": func(g *generator, _ []string) any {
		return pick[any](g, []any{"h=1.2.3.4", "i:5.6.7.8"}, object{"h": "9.9.9.9"}, object{"h": []any{"1.1.1.1", "2.2.2.2"}})
	},
	"healthcheck": func(g *generator, _ []string) any {
		return pick[any](g, object{"test": "curl ${PORT}"}, object{"test": []any{"CMD", "true"}, "retries": 3}, object{"interval": "1m", "disable": "${ON}"})
	},
	"deploy": func(g *generator, _ []string) any {
		return pick[any](g, object{"labels": []any{"a=1"}}, object{"labels": object{"a": 2}}, object{"resources": object{"limits": object{"pids": 9}}})
	},
	"cap_add":        func(g *generator, _ []string) any { return some(g, "NET_ADMIN", "SYS_TIME") },
	"devices":        func(g *generator, _ []string) any { return some(g, "/dev/a:/dev/b", "/dev/c", "/dev/d:/dev/b:r") },
	"profiles":       func(g *generator, _ []string) any { return some(g, "extra", "debug") },
	"restart":        func(g *generator, _ []string) any { return pick[any](g, "always", "${RESTART:-no}") },
	"read_only":      func(g *generator, _ []string) any { return pick[any](g, true, "${ON}", "false") },
	"security_opt":   func(g *generator, _ []string) any { return some(g, "no-new-privileges:true", "label:disable") },
	"container_name": func(g *generator, _ []string) any { return pick[any](g, "c-${TAG}", "${COMPOSE_PROJECT_NAME}-c") },
	"user":           func(g *generator, _ []string) any { return pick[any](g, "1000", "991", "${UID:-0}:${GID:-0}") },
	"links": func(g *generator, earlier []string) any {
		if len(earlier) == 0 {
			return nil
		}
		return []any{pick(g, earlier...) + pick(g, "", ":alias")}
	},
	"shm_size":    func(g *generator, _ []string) any { return pick[any](g, "512m", 1048576) },
	"working_dir": func(g *generator, _ []string) any { return "/w${TAG}" },
	"pid":         func(g *generator, _ []string) any { return "host" },
	"gpus":        func(g *generator, _ []string) any { return []any{object{"count": 1 + g.IntN(2)}} },
}
