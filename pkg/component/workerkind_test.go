package component_test

import (
	"slices"
	"testing"

	"philipp.info/stackgen/pkg/component"
)

// The kinds answer groups that there are, write streams that there are, and are single where Synapse has one writer.
func TestWorkerKinds(t *testing.T) {
	group := func(name string) *component.WorkerGroup {
		for i := range component.WorkerGroups {
			if component.WorkerGroups[i].Name == name {
				return &component.WorkerGroups[i]
			}
		}
		t.Errorf("there is no group %s", name)
		return nil
	}
	answered := map[string]bool{"sso": true, "mas": true} // which are the main process's
	written := map[string]bool{}
	for _, k := range component.WorkerKinds {
		for _, name := range k.Groups {
			answered[name] = true
			g := group(name)
			if g == nil {
				continue
			}
			if !slices.Contains(k.Resources, g.Resource) {
				t.Errorf("%s answers %s without the resource %s", k.Name, name, g.Resource)
			}
			if g.Stream == "" || slices.Contains(k.Streams, g.Stream) {
				continue
			}
			for _, s := range component.Streams {
				if s.Name == g.Stream && s.Refused != "" {
					t.Errorf("%s answers %s and does not write %s", k.Name, name, g.Stream)
				}
			}
		}
		for _, name := range k.Reads {
			if g := group(name); g != nil && !slices.ContainsFunc(g.Routes, func(r component.WorkerRoute) bool { return len(r.Reads) > 0 }) {
				t.Errorf("%s reads %s, and nothing of it only reads", k.Name, name)
			}
		}
		for _, name := range k.Streams {
			written[name] = true
			i := slices.IndexFunc(component.Streams, func(s component.Stream) bool { return s.Name == name })
			if i < 0 {
				t.Errorf("there is no stream %s", name)
			} else if one := (component.Streams[i].Several == component.Version{}); one != (k.Single != "") {
				t.Errorf("%s: one alone %v, its stream %v", k.Name, k.Single != "", one)
			}
		}
		if (k.Instance != "" || k.Instances != "") == (len(k.Groups)+len(k.Streams) > 0) && k.Name != "media" {
			t.Errorf("%s does nothing, or two things", k.Name)
		}
	}
	for _, g := range component.WorkerGroups {
		if !answered[g.Name] {
			t.Errorf("no kind answers %s", g.Name)
		}
	}
	for _, s := range component.Streams {
		if !written[s.Name] {
			t.Errorf("no kind writes %s", s.Name)
		}
	}
}
