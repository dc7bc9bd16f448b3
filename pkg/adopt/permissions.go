package adopt

import (
	"maps"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/spec"
)

// asked gives the permissions of a bridge in the words of the spec.
func asked(b *deployment.Bridge) map[string]string {
	perms := make(map[string]string)
	for who, level := range b.Permissions().Entries() {
		perms[who.Str()] = meant(b.Keys(), level.Str())
	}
	return perms
}

// meant is the spec's word for a level of a dialect, or the one that gives no more.
func meant(shape *component.Shape, level string) string {
	for _, words := range [][][2]string{shape.Given, {{"user", "puppeting"}, {"user", "commands"}, {"relay", "relaybot"}}} {
		for _, w := range words {
			if w[1] == level {
				return w[0]
			}
		}
	}
	return "user"
}

// permissions takes together what the bridges have in common. A dialect does not know every word, so that the same
// permissions may look less in one bridge than in another.
func (r *reader) permissions() {
	all := make(map[string]string)
	for _, perms := range r.asked {
		for who, level := range perms {
			if r.ours(who) {
				all[who] = level
			}
		}
	}
	// Of several levels the one counts that most bridges have.
	for who := range all {
		count := make(map[string]int)
		for _, perms := range r.asked {
			if level := perms[who]; level != "" {
				count[level]++
			}
		}
		levels := slices.Sorted(maps.Keys(count))
		all[who] = slices.MaxFunc(levels, func(a, b string) int { return count[a] - count[b] })
	}
	common := r.mostly(all)
	for name, b := range r.spec.Bridges {
		own := make(map[string]string)
		for who, level := range r.asked[name] {
			if r.ours(who) {
				own[who] = level
			}
		}
		if len(own) > 0 && !maps.Equal(own, r.image(name, common)) {
			b.Permissions = levels(own)
			r.spec.Bridges[name] = b
		}
	}
	r.spec.Permissions = levels(common)
}

// mostly is the permissions that most bridges have: all of them together, or those of one bridge.
func (r *reader) mostly(all map[string]string) map[string]string {
	best, most := map[string]string{}, -1
	consider := func(perms map[string]string) {
		n := 0
		for name := range r.spec.Bridges {
			if maps.Equal(r.image(name, perms), r.asked[name]) {
				n++
			}
		}
		if n > most && len(perms) > 0 {
			best, most = perms, n
		}
	}
	consider(all)
	for _, name := range slices.Sorted(maps.Keys(r.spec.Bridges)) {
		perms := maps.Clone(r.asked[name])
		maps.DeleteFunc(perms, func(who, _ string) bool { return !r.ours(who) })
		consider(perms)
		// What one dialect has no word for may be common all the same.
		for who, level := range all {
			if r.image(name, map[string]string{who: level})[who] == "" {
				perms[who] = level
			}
		}
		consider(perms)
	}
	return best
}

// image is what a bridge makes of permissions of the spec.
func (r *reader) image(name string, perms map[string]string) map[string]string {
	image := make(map[string]string)
	shape := r.taken()[component.Program(name)].Keys()
	for who, level := range perms {
		for _, w := range shape.Given {
			if w[0] == level {
				image[who] = level
			}
		}
	}
	return image
}

// ours reports whether the spec may name somebody: everybody, this server, or a user of it.
func (r *reader) ours(who string) bool {
	local, server, user := strings.Cut(strings.TrimPrefix(who, "@"), ":")
	return who == "*" || who == r.spec.ServerName || strings.HasPrefix(who, "@") && user && local != "" && server == r.spec.ServerName
}

func levels(perms map[string]string) map[string]spec.Permission {
	if len(perms) == 0 {
		return nil
	}
	out := make(map[string]spec.Permission)
	for who, level := range perms {
		out[who] = spec.Permission(level)
	}
	return out
}
