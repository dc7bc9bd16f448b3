package check

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var registrationBotNamespace = Rule{
	ID: "registration-bot-namespace", Severity: finding.Error,
	Summary: "the bridge's bot is in an exclusive users namespace of its registration",
	Why:     "The bridge stops: \"The as_token was accepted, but the /register request was not. Are the homeserver domain, bot username and username template in the config correct, and do they match the values in the registration?\"",
	Fix:     "Claim the bot in both copies of the registration: regex '^@<bot>:<server name>$', exclusive: true.",
	Source:  "Synapse 1.157.1 handlers/register.py; mautrix-go v0.30.0 bridgev2/matrix",
	Check: func(d *deployment.Deployment, r *Reporter) {
		d.BridgeRegistrations(func(s *deployment.Synapse, reg *deployment.Registration, b *deployment.Bridge) {
			server := s.Server.Str()
			bot, at := b.Bot()
			if bot == "" || server == "" {
				return
			}
			checkClaim(r, d, reg, "users", fmt.Sprintf("^@%s:%s$", regexp.QuoteMeta(bot), regexp.QuoteMeta(server)),
				"the bot of "+b.Name, "the bridge does not start", "anybody can register that name first", at, "@"+bot+":"+server)
		})
	},
}

// checkClaim says so when a registration does not claim ids for itself, as the regex would that is to be written.
func checkClaim(r *Reporter, d *deployment.Deployment, reg *deployment.Registration, kind, regex, who, unclaimed, shared string, at source.Value, id string) {
	list, cs := reg.At("namespaces", kind), d.Claims(reg, kind)
	server := id[strings.IndexByte(id, ':')+1:]
	elsewhere := slices.ContainsFunc(cs, func(c deployment.Claim) bool { return !deployment.OnServer(c.Regex.Str(), server) })
	unread := len(cs) < list.Len() || slices.ContainsFunc(cs, func(c deployment.Claim) bool { return c.Re == nil }) || reg.At("namespaces").Kind() != source.Mapping
	fix := fmt.Sprintf("- {regex: '%s', exclusive: true}", regex)
	switch found := deployment.Claimed(cs, id); {
	case found != nil && found.Exclusive:
	case elsewhere, unread: // server-name-agrees or registration-shape says so
	case found != nil:
		// What claims everybody is not meant to be for itself.
		keys := found.Regex.Keys()
		own := reg.At(append(slices.Clone(keys[:len(keys)-1]), "exclusive")...)
		wide := found.Re.MatchString(id[:1] + "somebody-else-entirely:" + server)
		r.WarnMend(fmt.Sprintf("the registration claims %s, %s, without exclusive; %s", id, who, shared), unless(wide, inBoth(d, reg, own, "true")), found.Regex.Site(""), at.Site("the bridge's"))
	default:
		r.FailMend(fmt.Sprintf("no namespace of the registration claims %s, %s; %s", id, who, unclaimed), both(d, reg, list, fix, func(v source.Value) []source.Edit {
			return v.With(strings.TrimPrefix(fix, "- "))
		}), list.Site(""), at.Site("the bridge's"))
	}
}

// ghostID is what an id of the other network looks like.
func ghostID(b *deployment.Bridge) string {
	return cmp.Or(b.About.RemoteID, "1234567890")
}

var registrationGhostNamespace = Rule{
	ID: "registration-ghost-namespace", Severity: finding.Error,
	Summary: "the users that a bridge makes (username_template) are in an exclusive users namespace of its registration",
	Why:     "The bridge starts, but no message comes in: \"M_EXCLUSIVE: Invalid user localpart for this application service.\" No bridge checks that when it starts.",
	Fix:     "Claim them in both copies of the registration: regex '^@<prefix>.*:<server name>$', exclusive: true.",
	Source:  "Synapse 1.157.1 handlers/register.py, handlers/directory.py; mautrix-go v0.30.0 bridgev2/bridgeconfig",
	Check: func(d *deployment.Deployment, r *Reporter) {
		d.BridgeRegistrations(func(s *deployment.Synapse, reg *deployment.Registration, b *deployment.Bridge) {
			server := s.Server.Str()
			before, after, at, ok := b.Ghosts()
			if !ok && (at.Set() || before != "") {
				r.Fail(fmt.Sprintf("the template of %s lacks %s; the bridge does not start", b.Name, b.Keys().Placeholder), at.Name()+`: "`+b.Known()+"_"+b.Keys().Placeholder+`"`, at.Site(""))
			}
			if !ok || server == "" || strings.ContainsAny(before+after, "{}") {
				return
			}
			checkClaim(r, d, reg, "users", ghostRegex("@", before, after, server), "a user that "+b.Name+" makes", "no message from the other network comes in", "anybody can register such a name first",
				at, "@"+before+ghostID(b)+after+":"+server)
			checkOtherGhosts(r, d, reg, b, at, before, after, server)
			if b.Keys().Aliases == "" || b.Misread() {
				return // the bridge of the image makes no such address: bridge-dialect says what comes of the file
			}
			v := b.At(b.Keys().Aliases)
			template := v.Str()
			if def, _ := b.Defaults(); !v.Set() {
				template = def.Prefix + "_{groupname}"
			}
			if before, after, ok := strings.Cut(template, "{groupname}"); ok {
				checkClaim(r, d, reg, "aliases", ghostRegex("#", before, after, server), "the address of a public group of "+b.Name, "such a group cannot be bridged", "anybody can take such an address first",
					v, "#"+before+"group"+after+":"+server)
			}
		})
	},
}

// checkOtherGhosts has a namespace that fits most users of the other network and not those of another form.
func checkOtherGhosts(r *Reporter, d *deployment.Deployment, reg *deployment.Registration, b *deployment.Bridge, at source.Value, before, after, server string) {
	id := func(remote string) string { return "@" + before + remote + after + ":" + server }
	if b.Dialect != component.BridgeV2 || deployment.Claimed(d.Claims(reg, "users"), id(ghostID(b))) == nil {
		return
	}
	for _, other := range b.About.OtherIDs {
		if deployment.Claimed(d.Claims(reg, "users"), id(other)) == nil {
			checkClaim(r, d, reg, "users", ghostRegex("@", before, after, server), "a user of the other form that "+b.Name+" makes", "no message from such a user comes in", "anybody can register such a name first", at, id(other))
			return
		}
	}
}

var registrationNamespacesDisjoint = Rule{
	ID: "registration-namespaces-disjoint", Severity: finding.Error,
	Summary: "no two appservices claim the same users for themselves, and none claims a person who uses a bridge",
	Why:     "400 M_EXCLUSIVE \"This user ID is reserved by an application service.\": a bridge's bot or ghosts cannot be registered, or a person cannot log in because MAS cannot make the account. Synapse does not check it when it starts.",
	Fix:     "Make the expressions so narrow that each matches the users of its own bridge only.",
	Source:  "Synapse 1.157.1 handlers/register.py check_user_id_not_appservice_exclusive, rest/synapse/mas/users.py",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			server := s.Server.Str()
			if server == "" {
				continue
			}
			for kind, sigil := range map[string]string{"users": "@", "aliases": "#"} {
				checkDisjoint(r, d, s, kind, sigil, server)
			}
			checkPeople(r, d, s, server)
		}
	},
}

// exclusive lists what a registration claims for itself. double-puppet-registration looks after its own.
func exclusiveClaims(d *deployment.Deployment, reg *deployment.Registration, kind string) []deployment.Claim {
	if slices.Contains(d.DoublePuppets, reg) {
		return nil
	}
	return slices.DeleteFunc(d.Claims(reg, kind), func(c deployment.Claim) bool { return !c.Exclusive })
}

func checkDisjoint(r *Reporter, d *deployment.Deployment, s *deployment.Synapse, kind, sigil, server string) {
	type owned struct {
		deployment.Claim
		bridge *deployment.Bridge
	}
	find := deployment.Search{Budget: 2e6}
	all, alphabet := d.Ids(sigil, server)
	var before []owned
	for _, reg := range s.Registrations {
		b := d.BridgeOf(reg)
		var mine []owned
		for _, c := range exclusiveClaims(d, reg, kind) {
			mine = append(mine, owned{c, b})
		}
		for _, a := range mine {
			for _, z := range before {
				id, ok := find.Common(alphabet, a.Pattern, z.Pattern, all)
				if !ok {
					continue
				}
				if bridgeMakes(a.bridge, id) && !bridgeMakes(z.bridge, id) {
					a, z = z, a // the one that is too wide is the one to edit
				}
				r.Fail(fmt.Sprintf("two appservices claim %s for themselves; Synapse lets neither have it (M_EXCLUSIVE)", id),
					narrowed(a.bridge, a.Claim, server), a.Regex.Site(""), z.Regex.Site("the other"))
			}
		}
		before = append(before, mine...)
	}
	if find.Budget <= 0 {
		r.NotChecked("the namespaces are too involved to hold against each other", s.Config.At("app_service_config_files").Site(""))
	}
}

// makes reports whether an id is the bridge's bot or one of its ghosts. b may be nil.
func bridgeMakes(b *deployment.Bridge, id string) bool {
	if b == nil {
		return false
	}
	bot, _ := b.Bot()
	before, _, _, ok := b.Ghosts()
	return strings.HasPrefix(id, "@"+bot+":") || ok && strings.HasPrefix(id, "@"+before)
}

// narrow is the expression that claims, of what c does, what the bridge needs.
func narrowed(b *deployment.Bridge, c deployment.Claim, server string) string {
	var needs []string
	if b != nil && c.Re != nil {
		bot, _ := b.Bot()
		before, after, _, ok := b.Ghosts()
		if c.Re.MatchString("@" + bot + ":" + server) {
			needs = append(needs, regexp.QuoteMeta(bot))
		}
		if ok && c.Re.MatchString("@"+before+ghostID(b)+after+":"+server) {
			needs = append(needs, regexp.QuoteMeta(before)+".*"+regexp.QuoteMeta(after))
		}
	}
	switch len(needs) {
	case 0:
		return "narrow the expression"
	case 1:
		return fmt.Sprintf("regex: '^@%s:%s$'", needs[0], regexp.QuoteMeta(server))
	}
	return fmt.Sprintf("regex: '^@(%s):%s$'", strings.Join(needs, "|"), regexp.QuoteMeta(server))
}

func ghostRegex(sigil, before, after, server string) string {
	return "^" + sigil + regexp.QuoteMeta(before) + ".*" + regexp.QuoteMeta(after+":"+server) + "$"
}

func checkPeople(r *Reporter, d *deployment.Deployment, s *deployment.Synapse, server string) {
	seen := make(map[string]bool)
	for _, b := range d.Bridges {
		for who, level := range b.Permissions().Entries() {
			id := who.Str()
			if !strings.HasPrefix(id, "@") || !strings.HasSuffix(id, ":"+server) || seen[id] {
				continue
			}
			seen[id] = true
			for _, reg := range s.Registrations {
				if c := deployment.Claimed(exclusiveClaims(d, reg, "users"), id); c != nil {
					r.Fail(fmt.Sprintf("an appservice claims %s for itself, who is a person; Synapse refuses the account (M_EXCLUSIVE)", id),
						narrowed(d.BridgeOf(reg), *c, server), c.Regex.Site(""), level.Site("a person"))
				}
			}
		}
	}
}
