package compare

import (
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
)

// keys has the keys of LiveKit be compared by their values, wherever they stand.
func (s *side) keys(l *deployment.LiveKit) {
	about := s.whom(l.Service)
	all, reason := l.Keys()
	if reason != "" {
		return
	}
	for k := range s.facts {
		if k.about == about && k.doc == "config" && (k.key == "key_file" || strings.HasPrefix(k.key, "keys.")) {
			delete(s.facts, k)
		}
	}
	var pairs []string
	for _, key := range all {
		pairs = append(pairs, key.Name+": "+key.Secret)
		s.used[key.At.File] = true
	}
	if slices.Sort(pairs); len(all) > 0 {
		text := strings.Join(pairs, "\n")
		s.add(about, "config", "the keys", fact{raw: text, text: text, secret: true, at: all[0].At.Pos})
	}
}

// relay adds what coturn is told: an option that stands several times by each of its values.
func (s *side) relay(t *deployment.TurnServer) {
	about := s.whom(t.Service)
	times := make(map[string]int)
	for _, o := range t.Settings {
		times[o.Name]++
	}
	for _, o := range t.Settings {
		s.used[o.Site.File] = s.used[o.Site.File] || o.Site.File != s.File
		key, text := o.Name, o.Value
		if times[o.Name] > 1 || strings.HasSuffix(o.Name, "-peer-ip") {
			key = o.Name + "[" + o.Value + "]"
		}
		if text == "" {
			text = "on"
		}
		s.add(about, "config", key, fact{raw: text, text: text, shown: text, at: o.Site.Pos, secret: strings.Contains(o.Name, "secret")})
	}
}
