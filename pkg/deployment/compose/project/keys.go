package project

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/docker/go-connections/nat"

	"philipp.info/stackgen/pkg/source"
)

// keyOf is what stands before the = of an item.
func keyOf(n *source.Node) []string {
	key, _, _ := strings.Cut(formatted(n), "=")
	return []string{key}
}

func textOf(n *source.Node) []string { return []string{formatted(n)} }

// pathOf is the path of an env_file, in its short or long form.
func pathOf(n *source.Node) []string {
	if n.Kind == source.Mapping {
		n = n.Get("path")
	}
	return []string{n.Str()}
}

// targetBelow tells the secrets or configs of a service by where they are mounted.
func targetBelow(dir string) func(*source.Node) []string {
	return func(n *source.Node) []string {
		name := n.Str()
		if n.Kind == source.Mapping {
			if target := n.Get("target"); target != nil {
				return []string{target.Str()}
			}
			name = n.Get("source").Str()
		}
		return []string{dir + name}
	}
}

func volumeTarget(n *source.Node) []string {
	if n.Kind == source.Mapping {
		return []string{n.Get("target").Str()}
	}
	fields := volumeFields(n.Str())
	return []string{path.Clean(fields[min(1, len(fields)-1)])}
}

// volumeFields are what stands between the colons of a volume. That of a Windows drive is none of them: Compose takes a
// single letter for one.
func volumeFields(text string) (fields []string) {
	begin := 0
	for i, c := range text {
		drive := i == begin+1 && (text[begin]|0x20 >= 'a' && text[begin]|0x20 <= 'z')
		if c == ':' && !drive {
			fields = append(fields, text[begin:i])
			begin = i + 1
		}
	}
	return append(fields, text[begin:])
}

func deviceTarget(n *source.Node) []string {
	if n.Kind == source.Mapping {
		return []string{n.Get("target").Str()}
	}
	from, rest, ok := strings.Cut(n.Str(), ":")
	if to, _, _ := strings.Cut(rest, ":"); ok {
		return []string{to}
	}
	return []string{from}
}

// portsOf tells published ports by address, port and protocol. A range stands for several.
func portsOf(n *source.Node) []string {
	if n.Kind == source.Mapping {
		host, protocol := "0.0.0.0", "tcp"
		if is := n.Get("host_ip"); is != nil {
			host = is.Str()
		}
		if is := n.Get("protocol"); is != nil {
			protocol = is.Str()
		}
		var published any
		if is := n.Get("published"); is != nil {
			published = is.Any()
		}
		return []string{portKey(host, published, formatted(n.Get("target")), protocol)}
	}
	parsed := parsePorts(formatted(n))
	if len(parsed) == 0 {
		return textOf(n)
	}
	keys := make([]string, len(parsed))
	for i, p := range parsed {
		host, published := p.HostIP, any(p.HostPort)
		if host == "" {
			host = "0.0.0.0"
		}
		if published == "" {
			published = nil
		}
		keys[i] = portKey(host, published, p.target.Port(), p.target.Proto())
	}
	return keys
}

// port is one of those that a short form stands for.
type port struct {
	target nat.Port
	nat.PortBinding
}

// parsePorts reads the short form of published ports; nil where it is none.
func parsePorts(text string) (ports []port) {
	_, bindings, err := nat.ParsePortSpecs([]string{text})
	if err != nil {
		return nil
	}
	for _, target := range slices.Sorted(maps.Keys(bindings)) {
		for _, b := range bindings[target] {
			ports = append(ports, port{target, b})
		}
	}
	return ports
}

// portKey tells a port that is published by a number from one that is by a text, as Compose does.
func portKey(host string, published any, target, protocol string) string {
	return fmt.Sprintf("%s:%T%v:%s/%s", host, published, published, target, protocol)
}

// apart is the item, or each of the ports that a range stands for where one of them is in the list already.
func apart(n *source.Node, keys []string, there map[string]int) []*source.Node {
	met := false
	for _, key := range keys {
		_, is := there[key]
		met = met || is
	}
	if len(keys) == 1 || !met {
		return []*source.Node{n}
	}
	var parts []*source.Node
	for _, p := range parsePorts(formatted(n)) {
		parts = append(parts, source.NewText(n, p.text()))
	}
	return parts
}

func (p port) text() string {
	text := p.target.Port()
	if p.HostPort != "" || p.HostIP != "" {
		text = p.HostPort + ":" + text
	}
	if host := p.HostIP; strings.Contains(host, ":") {
		text = "[" + host + "]:" + text
	} else if host != "" {
		text = host + ":" + text
	}
	return text + "/" + p.target.Proto()
}
