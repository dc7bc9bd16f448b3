package check

import (
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var rtcKeysMatch = Rule{
	ID: "rtc-keys-match", Severity: finding.Error,
	Summary: "LiveKit knows the key that lk-jwt-service signs tokens with, and signs with it what it tells that service",
	Why:     "Everybody gets a token and nobody a call: LiveKit answers 401, \"invalid API key\" or \"invalid token\". Where LiveKit signs with a key that it does not have, it does not start.",
	Fix:     "Give both the same key and secret, and webhook.api_key the same key.",
	Source:  "livekit-server v1.13.11 pkg/config/config.go ValidateKeys, pkg/service/auth.go, pkg/service/wire.go createWebhookNotifier; lk-jwt-service 0.8.0 src/config.rs",
	Check: func(d *deployment.Deployment, r *Reporter) {
		if len(d.LiveKits) != 1 {
			return // which of them it is for, nobody says
		}
		l := d.LiveKits[0]
		for _, t := range d.Tokens {
			for _, v := range t.Files() {
				namedFile(r, t.Service, v.At, v.Text, v.Name, t.Name)
			}
		}
		if file := l.KeyFile(); file.Set() && !deferred(file.Str()) {
			if _, ok := namedFile(r, l.Service, deployment.LeafOf(file), file.Str(), "key_file", l.Name); !ok {
				return
			}
		}
		keys, reason := l.Keys()
		if reason != "" {
			if len(d.Tokens) > 0 {
				r.NotChecked("the keys of "+l.Name+" cannot be seen: "+reason, l.Site(""))
			}
			return
		}
		if len(keys) == 0 {
			r.Fail(l.Name+" is given no key of its API; it does not start", "key_file: the path of a file with `key: secret`", l.Config.At("keys").Site(""), l.Site(""))
			return
		}
		names := make([]string, len(keys))
		for i, k := range keys {
			names[i] = k.Name
		}
		if hook := l.Config.At("webhook", "api_key"); hook.Set() && !deferred(hook.Str()) && !slices.Contains(names, hook.Str()) {
			r.Fail("webhook.api_key is none of the keys of "+l.Name+"; it does not start", "webhook.api_key: the key", hook.Site(""), keys[0].At)
		}
		for _, t := range d.Tokens {
			checkTokenKey(r, l, t, keys)
		}
	},
}

func checkTokenKey(r *Reporter, l *deployment.LiveKit, t *deployment.TokenService, keys []deployment.Key) {
	key, secret := t.Key()
	hidden := slices.DeleteFunc([]string{key.Hidden, secret.Hidden}, func(why string) bool { return why == "" })
	switch {
	case len(hidden) > 0 && len(t.Files()) > 0:
		return // of the files that it names something was said
	case len(hidden) > 0:
		r.NotChecked("the key of "+t.Name+" cannot be seen: "+finding.Sentence(hidden, "and"), key.At)
		return
	case key.Text == "" || secret.Text == "":
		r.Lack(t.Name+" is given no key of LiveKit; it does not start", "LIVEKIT_KEY_FROM_FILE and LIVEKIT_SECRET_FROM_FILE", t.EnvAt.Site(""), t.Site(""))
		return
	case unfilled(key.Text) || unfilled(secret.Text) || deferred(key.Text+secret.Text):
		return // config-variables says so
	}
	i := slices.IndexFunc(keys, func(k deployment.Key) bool { return k.Name == key.Text })
	switch {
	case i < 0:
		r.Fail(fmt.Sprintf("%s signs tokens with a key that %s does not know; nobody gets into a call", t.Name, l.Name), "the same key in both", key.At, keys[0].At)
	case keys[i].Secret != secret.Text:
		r.Fail(fmt.Sprintf("%s and %s have different secrets for one key; nobody gets into a call", t.Name, l.Name), "the same secret in both", secret.At, keys[i].At)
	}
}

var rtcRoomsClosed = Rule{
	ID: "rtc-rooms-closed", Severity: finding.Warning,
	Summary: "who may begin a call is for lk-jwt-service to say: LiveKit makes no room by itself, and users of this server may begin one",
	Why:     "Whoever on the internet has any homeserver gets a token, and with auto_create LiveKit makes a room for it: strangers hold their calls on this machine. Or nobody here may begin a call: \"waiting for media\".",
	Fix:     "Write room: {auto_create: false} for LiveKit, and the server name in LIVEKIT_FULL_ACCESS_HOMESERVERS.",
	Source:  "lk-jwt-service 0.8.0 README \"Restricting room creation\", src/handler.rs; livekit-server v1.13.11 config-sample.yaml",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, l := range d.LiveKits {
			auto := l.Config.At("room", "auto_create")
			if len(d.Tokens) > 0 && l.Hidden == "" && !deployment.IsFalse(auto) && !deferred(auto.Str()) {
				r.FailMend(l.Name+" makes a room for whoever has a token, and lk-jwt-service gives one to users of every homeserver; strangers hold their calls here",
					mend{"room: {auto_create: false}", func() []source.Edit { return auto.Become("false") }}, auto.Site(""), d.Tokens[0].Site("gives out the tokens"))
			}
		}
		for _, t := range d.Tokens {
			all := t.Servers()
			if all.Text == "" || deferred(all.Text) || len(d.Synapses) != 1 || d.Synapses[0].Server.Str() == "" {
				continue
			}
			servers := strings.FieldsFunc(all.Text, func(c rune) bool { return c == ',' || c == ' ' })
			switch name := d.Synapses[0].Server.Str(); {
			case slices.Contains(servers, "*"):
				r.Fail(fmt.Sprintf("%s lets users of every homeserver begin calls; strangers hold them here", t.Name), "LIVEKIT_FULL_ACCESS_HOMESERVERS: "+name, all.At)
			case !slices.Contains(servers, name) && len(d.Tokens) == 1: // of several, each may be another server's
				r.Fail(fmt.Sprintf("%s lets no user of %s begin a call, only those of %s", t.Name, name, finding.Sentence(servers, "and")), "LIVEKIT_FULL_ACCESS_HOMESERVERS: "+name, all.At, d.Synapses[0].Server.Site("the name of this one"))
			}
		}
	},
}

var livekitKnownKeys = Rule{
	ID: "livekit-known-keys", Severity: finding.Error,
	Summary: "LiveKit knows every key of its configuration",
	Why:     "It stops at the first one that it does not know: \"could not parse config: yaml: unmarshal errors: field … not found in type config.Config\".",
	Fix:     "Write the key as LiveKit knows it, where LiveKit knows it.",
	Source:  "livekit-server v1.13.11 pkg/config/config.go NewConfig (KnownFields), cmd/server/main.go",
	Check: func(d *deployment.Deployment, r *Reporter) {
		read := component.Of(component.LiveKit).Tested
		newest, _ := read.Version()
		for _, l := range d.LiveKits {
			if slices.Contains(l.Command(), "--disable-strict-config") || l.Config.Path == "" {
				continue
			}
			v, known := l.Image.Version()
			same := known && v[0] == newest[0] && v[1] == newest[1] && !newest.Less(v)
			reading{
				d: d, program: "LiveKit", unknown: "it does not start", wrong: "it does not start",
				report: func(message string, fix mend, sites ...source.Site) {
					if same {
						r.FailMend(message, fix, sites...)
						return
					}
					r.Warn(message+", unless "+l.Image.String()+" has other keys than "+newest.String(), fix.text, append(sites, l.ImageAt.Site("the image"))...)
				},
			}.check(place{value: l.Config.Root(), known: knownKeys("livekit")})
		}
	},
}
