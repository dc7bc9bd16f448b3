package adopt

import (
	"path"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// place is a mount as the place of data in a spec; empty where the spec cannot say it.
func (r *reader) place(m *deployment.Mount) spec.Data {
	switch {
	case path.IsAbs(m.Source) || strings.HasPrefix(m.Source, "../"): // as it was, wherever it was read
		return spec.Data{Path: path.Clean(m.Source)}
	case m.Host != "":
		return spec.Data{Path: "./" + path.Clean(m.Host)}
	case strings.ContainsAny(m.Source, "/~$") || m.Source == "" || m.Source[0] == '.':
		return spec.Data{}
	}
	volume := compose.Of(r.d).File.At("volumes", m.Source)
	name, external := volume.At("name").Str(), volume.At("external").True()
	switch {
	case external || name != "":
		return spec.Data{Volume: or(name, m.Source), External: true}
	case volume.Kind() == source.Mapping && volume.Len() > 0:
		return spec.Data{}
	}
	return spec.Data{Volume: m.Source}
}

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
		p.set(source.Made("!!str", dir), "services", p.role("postgres"), "environment", "PGDATA")
	}
	m := covering(server, inside)
	if m == nil && component.PostgresData(server.Image) != at {
		return // it runs in a release that the spec does not render
	}
	if m == nil || m.Container == at && p.place(m) == p.spec.Database.Data || p.source(m) == "" {
		return
	}
	list := &source.Node{Kind: source.Sequence, Items: []*source.Node{source.Made("!!str", p.source(m)+":"+m.Container)}}
	p.set(list, "services", p.role("postgres"), "volumes")
}

// media has Synapse find what was uploaded so far.
func (p *project) media(tree *source.Node) {
	store := p.store()
	m := covering(p.syn.Service, store)
	if m == nil || m.ReadOnly || p.spec.Synapse.Data != (spec.Data{}) && p.spec.Synapse.Data == p.mediaIn() {
		return
	}
	rel, _ := strings.CutPrefix(strings.TrimPrefix(store, path.Clean(m.Container)), "/")
	if rel == "media_store" && p.place(m) == p.spec.Synapse.Data || p.source(m) == "" {
		return
	}
	list := &source.Node{Kind: source.Sequence, Items: []*source.Node{source.Made("!!str", "./config/matrix:/config:ro")}}
	switch rel {
	case "":
		list.Items = append(list.Items, source.Made("!!str", "./data/matrix:/data"), source.Made("!!str", p.source(m)+":/data/media_store"))
	default:
		list.Items = append(list.Items, source.Made("!!str", p.source(m)+":/data"))
		if rel != "media_store" {
			p.put(tree, []string{"synapse", "extra", "media_store_path"}, source.Made("!!str", "/data/"+rel))
		}
	}
	p.set(list, "services", p.role("synapse"), "volumes")
}

// store is where Synapse keeps media in its container.
func (r *reader) store() string {
	return path.Clean(r.syn.Inside(or(r.syn.Config.At("media_store_path").Str(), "media_store"))) // below its working directory
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
	case strings.HasPrefix(text, "/"):
		return path.Clean(text)
	case strings.HasPrefix(m.Host, "../"):
		return path.Clean(m.Host)
	case m.Host != "":
		return "./" + path.Clean(m.Host)
	case text == "" || strings.ContainsAny(text, "/.~$"):
		return ""
	}
	p.volumes[text] = true
	return text
}
