package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var bridgePermissions = Rule{
	ID: "bridge-permissions", Severity: finding.Error,
	Summary: "a bridge lets somebody of this server use it, in words that it knows",
	Why:     "The bridge stops: \"bridge.permissions not configured\", \"invalid permissions level full\"; or starts and answers nobody, because Discord takes a word that it does not know for block.",
	Fix:     "Name your server or yourself: \"<server name>\": user, \"@you:<server name>\": admin.",
	Source:  "mautrix-go v0.30.0 bridgev2/bridgeconfig/permissions.go; mautrix-discord v0.7.7; mautrix-telegram v0.15.3 config.py",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, b := range d.Bridges {
			for who, level := range b.Permissions().Entries() {
				checkLevel(r, b, who, level)
			}
			for _, s := range d.Synapses {
				if s.Server.Set() {
					checkUsers(r, b, s)
				}
			}
		}
	},
}

func checkLevel(r *Reporter, b *deployment.Bridge, who, level source.Value) {
	levels := b.Keys().Levels
	if kind := level.Kind(); kind == source.Sequence || kind == source.Mapping && b.Dialect != component.BridgeV2 {
		if message, fix := fmt.Sprintf("what the permissions of %s give %q is no word; ", b.Name, who.Str()), "one of "+strings.Join(levels, ", "); b.Dialect.InPython() {
			r.Warn(message+"nobody is let in by it", fix, level.Site(""))
		} else {
			r.Fail(message+"the bridge does not start", fix, level.Site(""))
		}
		return
	}
	// bridgev2 takes a mapping of single permissions, too, and words in any case.
	if b.Dialect == component.BridgeV2 && level.Kind() == source.Mapping || slices.Contains(levels, level.Str()) ||
		!b.Dialect.InPython() && slices.Contains(levels, strings.ToLower(level.Str())) {
		return
	}
	// Of a file in another dialect bridge-dialect speaks; a word that the program itself knows is no second fault.
	if want, _ := b.Image.Dialect(); b.Misread() && slices.Contains(want.Shape().Levels, strings.ToLower(level.Str())) {
		return
	}
	fix := "one of " + strings.Join(levels, ", ")
	for _, meant := range b.Keys().Meant {
		if meant[0] == strings.ToLower(level.Str()) {
			fix = fmt.Sprintf("%q: %s", who.Str(), meant[1])
		}
	}
	r.Fail(fmt.Sprintf("%q is no permission that %s knows; %s", level.Str(), b.Name, b.Keys().Mistaken), fix, level.Site(""))
}

// exampleEntries stand in the bridges' example configurations, and count for nothing.
var exampleEntries = []string{"example.com", "@admin:example.com", "public.example.com"}

// checkUsers says so when nobody of the homeserver may use the bridge. Entries for other servers are fine.
func checkUsers(r *Reporter, b *deployment.Bridge, s *deployment.Synapse) {
	perms, server := b.Permissions(), s.Server
	fix := fmt.Sprintf("%q: %s", server.Str(), b.Keys().Levels[len(b.Keys().Levels)-2])
	if slices.Contains(exampleEntries, server.Str()) {
		fix = fmt.Sprintf("%q: admin; an entry for %s is the example's, which counts for nothing", "@you:"+server.Str(), server.Str())
	}
	may, named := false, false // somebody of this server may use it; an entry besides * and the example's
	var slip, api source.Value // an entry for a server that is called nearly like this one; for the host of the API
	for who, level := range perms.Entries() {
		key := who.Str()
		host := key
		if strings.HasPrefix(key, "@") {
			_, host, _ = strings.Cut(key, ":")
		}
		barred := slices.Contains(b.Keys().Barred, strings.ToLower(level.Str()))
		switch {
		case slices.Contains(exampleEntries, key):
			if b.Dialect.InPython() && key == "example.com" {
				r.Fail(fmt.Sprintf("%s still has its example's permissions; it does not start (\"bridge.permissions not configured\")", b.Name), fix, level.Site(""))
				return
			}
		case host == s.MatrixHost() && host != server.Str():
			named, api = true, level
		case host == server.Str(), key == "*":
			may = may || !barred
			named = named || key != "*"
		default:
			named = true
			if mistyped(host, server.Str()) {
				slip = level
			}
		}
	}
	report := r.Warn
	if !may {
		report = r.Fail
	}
	if api.Exists() {
		key := api.Name()
		report(fmt.Sprintf("%q in the permissions of %s is the host of the API, but this server's users end in %s; nobody is let in by it", key, b.Name, server.Str()),
			fmt.Sprintf("%q: %s", key[:strings.LastIndexAny(key, ":")+1]+server.Str(), api.Str()), api.Site(""), server.Site("Synapse's"))
		return
	}
	if slip.Exists() {
		report(fmt.Sprintf("%q in the permissions of %s is one letter off %s; it lets nobody of this server in", slip.Name(), b.Name, server.Str()),
			fmt.Sprintf("%q: %s, unless it is another server", slip.Name()[:strings.LastIndexAny(slip.Name(), ":")+1]+server.Str(), slip.Str()), slip.Site(""), server.Site("Synapse's"))
		return
	}
	switch {
	case !named && !b.Dialect.InPython():
		r.Fail(fmt.Sprintf("the permissions of %s name no server and no person; it does not start (\"bridge.permissions not configured\")", b.Name), fix, perms.Site(""), server.Site("Synapse's"))
	case !may:
		r.Fail(fmt.Sprintf("the permissions of %s let nobody of %s use it; it answers none of them", b.Name, server.Str()), fix, perms.Site(""), server.Site("Synapse's"))
	}
}

// mistyped reports whether a server is called like another but for one letter. Short names are alike by chance.
func mistyped(name, server string) bool {
	const short = 6
	return len(server) > short && len(name) <= len(server)+1 && levenshtein.Distance(name, server, nil) == 1
}
