package adopt

import (
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// programOf is what a bridge is to the spec: the program of its image, or the one whose id its configuration has.
func programOf(b *deployment.Bridge) component.Program {
	if b.Dialect == component.OlderPython {
		return component.Unknown // what follows it begins anew, or not from where it is
	}
	if b.Program != component.Unknown {
		return b.Program
	}
	for c := range component.Bridges() {
		if c.Bridge == b.About {
			return c.Program
		}
	}
	return component.Unknown
}

// taken are the bridges that the spec can have, each program once.
func (r *reader) taken() map[component.Program]*deployment.Bridge {
	taken := make(map[component.Program]*deployment.Bridge)
	for _, b := range r.d.Bridges {
		if p := programOf(b); p != component.Unknown && taken[p] == nil {
			taken[p] = b
		}
	}
	return taken
}

// bridges reads each bridge.
func (r *reader) bridges() {
	taken := r.taken()
	for _, b := range r.d.Bridges {
		p := programOf(b)
		if taken[p] != b {
			r.note(b.Site("the bridge"), b.Name+" is a bridge that the spec has no name for, or the second one of its program; it is kept as it is", "compose")
			continue
		}
		if r.spec.Bridges == nil {
			r.spec.Bridges = make(map[string]spec.Bridge)
		}
		r.spec.Bridges[string(p)] = r.bridge(b, p)
	}
}

func (r *reader) bridge(b *deployment.Bridge, p component.Program) spec.Bridge {
	br := spec.Bridge{Component: r.component(b.Service, p), ID: b.At("appservice.id").Str(), Encryption: "off"}
	reg := r.registration(b)
	if id := reg.At("id").Str(); id != "" {
		br.ID = id
	}
	br.Bot, _ = b.Bot()
	if before, after, at, ok := b.Ghosts(); ok {
		switch prefix, fits := strings.CutSuffix(before, "_"); {
		case before == "":
			r.note(at.Site(""), "the names of ghosts begin with their ids, which could be anybody's; the spec gives them a word before", "bridges", string(p))
		case !fits || after != "" || strings.Contains(prefix, "_"):
			br.UsernameTemplate = before + "{{.}}" + after
		default:
			br.UsernamePrefix = prefix
		}
	}
	port, _ := b.Port()
	br.Port, _ = strconv.Atoi(port)
	switch {
	case b.Encrypts() && b.Encryption().At("require").True():
		br.Encryption = "required"
	case b.Encrypts():
		br.Encryption = "on"
	}
	if db := b.At(b.Keys().Database); !strings.HasPrefix(db.Str(), "postgres") {
		r.note(db.Site(""), "the bridge keeps its data in SQLite, and the rendered one in PostgreSQL: without a move its logins and portals begin anew", "bridges", string(p))
	}
	r.asked[string(p)] = asked(b)
	name := "bridges." + string(p) + "."
	r.keep(name+"as_token", or(reg.At("as_token").Str(), b.At("appservice.as_token").Str()))
	r.keep(name+"hs_token", or(reg.At("hs_token").Str(), b.At("appservice.hs_token").Str()))
	r.keep(name+"sender", reg.At("sender_localpart").Str())
	for _, s := range bridgeSecrets[b.Dialect] {
		if text, _, reason := b.Setting(s.key); reason == "" && !component.NoSecret(text) {
			r.keep(name+s.name, text)
		}
	}
	return br
}

// registration is the copy that Synapse reads, or else the bridge's own.
func (r *reader) registration(b *deployment.Bridge) source.Value {
	if reg := r.d.RegistrationOf(b); reg != nil {
		return reg.Root()
	}
	if b.Own != nil {
		return b.Own.Root()
	}
	return source.Value{}
}

// bridgeSecrets say where a configuration has the secrets that no registration has.
var bridgeSecrets = map[component.Dialect][]struct{ name, key string }{
	component.BridgeV2: {
		{"provisioning_secret", "provisioning.shared_secret"},
		{"direct_media_key", "direct_media.server_key"},
		{"public_media_key", "public_media.signing_key"},
		{"pickle_key", "encryption.pickle_key"},
		{"api_id", "network.api_id"},
		{"api_hash", "network.api_hash"},
	},
	component.Python: {
		{"provisioning_secret", "appservice.provisioning.shared_secret"},
		{"api_id", "telegram.api_id"},
		{"api_hash", "telegram.api_hash"},
		{"bot_token", "telegram.bot_token"},
	},
	component.Legacy: {
		{"provisioning_secret", "bridge.provisioning.shared_secret"}, {"direct_media_key", "bridge.direct_media.server_key"}, {"avatar_proxy_key", "bridge.avatar_proxy_key"},
	},
}

// doublePuppet reads the appservice that speaks for the homeserver's own users.
func (r *reader) doublePuppet() {
	if len(r.d.DoublePuppets) == 0 {
		return
	}
	reg := r.d.DoublePuppets[0]
	r.keep("doublepuppet.as_token", reg.At("as_token").Str())
	r.keep("doublepuppet.hs_token", reg.At("hs_token").Str())
	r.keep("doublepuppet.sender", reg.At("sender_localpart").Str())
}
