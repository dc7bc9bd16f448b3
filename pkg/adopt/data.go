package adopt

import (
	"path"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
)

// data leaves what the programs have written where it is: the cluster of PostgreSQL, and the media.
func (p *project) data(tree *source.Node) {
	if server := p.server(); server != nil {
		p.cluster(server)
	}
	p.media(tree)
}

func (p *project) cluster(server *deployment.Service) {
	at := p.files.bundle.Stack.Postgres.DataPath
	inside := at
	if dir, _ := server.Env("PGDATA"); dir != "" {
		inside = dir
		p.set(source.Made("!!str", dir), "services", "postgres", "environment", "PGDATA")
	}
	m := covering(server, inside)
	if m == nil && component.PostgresData(server.Image) != at {
		return // it runs in a release that the spec does not render
	}
	if m == nil || p.source(m) == "" || p.source(m) == "./data/postgres" && m.Container == at {
		return
	}
	list := &source.Node{Kind: source.Sequence, Items: []*source.Node{source.Made("!!str", p.source(m)+":"+m.Container)}}
	p.set(list, "services", "postgres", "volumes")
}

// media has Synapse find what was uploaded so far.
func (p *project) media(tree *source.Node) {
	c := p.syn.Config
	store := c.At("media_store_path").Str()
	if store == "" {
		store = "media_store" // below its working directory
	}
	store = p.syn.Inside(store)
	m := covering(p.syn.Service, store)
	if m == nil || p.source(m) == "" || m.ReadOnly {
		return
	}
	rel, _ := strings.CutPrefix(strings.TrimPrefix(store, path.Clean(m.Container)), "/")
	list := &source.Node{Kind: source.Sequence, Items: []*source.Node{source.Made("!!str", "./config/matrix:/config:ro")}}
	switch {
	case rel == "":
		list.Items = append(list.Items, source.Made("!!str", "./data/matrix:/data"), source.Made("!!str", p.source(m)+":/data/media_store"))
	case p.source(m) == "./data/matrix" && rel == "media_store":
		return
	default:
		list.Items = append(list.Items, source.Made("!!str", p.source(m)+":/data"))
		if rel != "media_store" {
			p.put(tree, []string{"synapse", "extra", "media_store_path"}, source.Made("!!str", "/data/"+rel))
		}
	}
	p.set(list, "services", "synapse", "volumes")
}

// covering is the mount that a path in a container lies in; nil where there is none that lasts.
func covering(s *deployment.Service, at string) *deployment.Mount {
	var best *deployment.Mount
	for i, m := range s.Mounts {
		if m.Fleeting || m.Source == "" || !deployment.Under(path.Clean(at), m.Container) {
			continue
		}
		if best == nil || len(path.Clean(m.Container)) > len(path.Clean(best.Container)) {
			best = &s.Mounts[i]
		}
	}
	return best
}

// source is what a mount is written as in a compose file: a path or the key of a volume, which then is defined; "" where
// neither is known.
func (p *project) source(m *deployment.Mount) string {
	text := m.Source
	switch {
	case strings.HasPrefix(m.Host, "../"):
		return path.Clean(m.Host)
	case m.Host != "":
		return "./" + path.Clean(m.Host)
	case strings.HasPrefix(text, "/"):
		return path.Clean(text)
	case text == "" || strings.ContainsAny(text, "/.~$"):
		return ""
	}
	p.volumes[text] = true
	return text
}
