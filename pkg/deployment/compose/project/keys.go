package project

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/format"
	"github.com/compose-spec/compose-go/v2/types"

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
	v, err := format.ParseVolume(n.Str())
	if err != nil {
		return textOf(n)
	}
	if v.Target == "" {
		return []string{""}
	}
	return []string{path.Clean(v.Target)}
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
	parsed, err := types.ParsePortConfig(formatted(n))
	if err != nil || len(parsed) == 0 {
		return textOf(n)
	}
	keys := make([]string, len(parsed))
	for i, p := range parsed {
		host, published := p.HostIP, any(p.Published)
		if host == "" {
			host = "0.0.0.0"
		}
		if published == "" {
			published = nil
		}
		keys[i] = portKey(host, published, strconv.FormatUint(uint64(p.Target), 10), p.Protocol)
	}
	return keys
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
	parsed, err := types.ParsePortConfig(formatted(n))
	if err != nil {
		return []*source.Node{n}
	}
	parts := make([]*source.Node, len(parsed))
	for i, p := range parsed {
		parts[i] = source.NewText(n, portText(p))
	}
	return parts
}

func portText(p types.ServicePortConfig) string {
	text := strconv.FormatUint(uint64(p.Target), 10)
	if p.Published != "" || p.HostIP != "" {
		text = p.Published + ":" + text
	}
	if p.HostIP != "" {
		host := p.HostIP
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		text = host + ":" + text
	}
	return text + "/" + p.Protocol
}
