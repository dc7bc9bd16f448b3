package check

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/image"
	"philipp.info/stackgen/pkg/source"
)

var registrationBotNamespace = Rule{
	ID: "registration-bot-namespace", Severity: finding.Error,
	Summary: "the bridge's bot is in an exclusive users namespace of its registration",
	Why:     "The bridge stops: \"The as_token was accepted, but the /register request was not. Are the homeserver domain, bot username and username template in the config correct, and do they match the values in the registration?\"",
	Fix:     "Claim the bot in both copies of the registration: regex '^@<bot>:<server name>$', exclusive: true.",
	Source:  "Synapse 1.157.1 handlers/register.py; mautrix-go v0.30.0 bridgev2/matrix",
	Check: func(d *Deployment, r *Reporter) {
		d.bridgeRegistrations(func(s *Synapse, reg *Registration, b *Bridge) {
			server := s.server.Str()
			bot, at := b.bot()
			if bot == "" || server == "" {
				return
			}
			d.checkClaim(r, reg, "users", fmt.Sprintf("^@%s:%s$", regexp.QuoteMeta(bot), regexp.QuoteMeta(server)),
				"the bot of "+b.Name, "the bridge does not start", "anybody can register that name first", at, "@"+bot+":"+server)
		})
	},
}

// checkClaim says so when a registration does not claim ids for itself, as the regex would that is to be written.
func (d *Deployment) checkClaim(r *Reporter, reg *Registration, kind, regex, who, unclaimed, shared string, at source.Value, id string) {
	list, cs := reg.At("namespaces", kind), d.claims(reg, kind)
	server := id[strings.IndexByte(id, ':')+1:]
	elsewhere := slices.ContainsFunc(cs, func(c claim) bool { return !onServer(c.regex.Str(), server) })
	unread := len(cs) < list.Len() || slices.ContainsFunc(cs, func(c claim) bool { return c.re == nil }) || reg.At("namespaces").Kind() != source.Mapping
	fix := fmt.Sprintf("- {regex: '%s', exclusive: true}", regex)
	switch found := claimed(cs, id); {
	case found != nil && found.exclusive:
	case elsewhere, unread: // server-name-agrees or registration-shape says so
	case found != nil:
		r.Warn(fmt.Sprintf("the registration claims %s, %s, without exclusive; %s", id, who, shared), "exclusive: true", found.regex.Site(""), at.Site("the bridge's"))
	default:
		r.Fail(fmt.Sprintf("no namespace of the registration claims %s, %s; %s", id, who, unclaimed), fix, list.Site(""), at.Site("the bridge's"))
	}
}

// ghostID is what an id of the other network looks like.
func ghostID(b *Bridge) string {
	if b.Program == image.Signal {
		return "0d7f5c1e-8a51-4c3e-9f2b-1d6a7c3b9e40"
	}
	return "1234567890"
}

var registrationGhostNamespace = Rule{
	ID: "registration-ghost-namespace", Severity: finding.Error,
	Summary: "the users that a bridge makes (username_template) are in an exclusive users namespace of its registration",
	Why:     "The bridge starts, but no message comes in: \"M_EXCLUSIVE: Invalid user localpart for this application service.\" No bridge checks that when it starts.",
	Fix:     "Claim them in both copies of the registration: regex '^@<prefix>.*:<server name>$', exclusive: true.",
	Source:  "Synapse 1.157.1 handlers/register.py, handlers/directory.py; mautrix-go v0.30.0 bridgev2/bridgeconfig",
	Check: func(d *Deployment, r *Reporter) {
		d.bridgeRegistrations(func(s *Synapse, reg *Registration, b *Bridge) {
			server := s.server.Str()
			before, after, at, ok := b.ghosts()
			if !ok && (at.Set() || before != "") {
				r.Fail(fmt.Sprintf("the template of %s lacks %s; the bridge does not start", b.Name, b.keys().placeholder), at.Name()+`: "`+string(b.Program)+"_"+b.keys().placeholder+`"`, at.Site(""))
			}
			if !ok || server == "" || strings.ContainsAny(before+after, "{}") {
				return
			}
			d.checkClaim(r, reg, "users", ghostRegex("@", before, after, server), "a user that "+b.Name+" makes", "no message from the other network comes in", "anybody can register such a name first",
				at, "@"+before+ghostID(b)+after+":"+server)
			if b.keys().aliases == "" {
				return
			}
			v := b.at(b.keys().aliases)
			template := v.Str()
			if def, _ := b.defaults(); !v.Set() {
				template = def.Prefix + "_{groupname}"
			}
			if before, after, ok := strings.Cut(template, "{groupname}"); ok {
				d.checkClaim(r, reg, "aliases", ghostRegex("#", before, after, server), "the address of a public group of "+b.Name, "such a group cannot be bridged", "anybody can take such an address first",
					v, "#"+before+"group"+after+":"+server)
			}
		})
	},
}

var registrationNamespacesDisjoint = Rule{
	ID: "registration-namespaces-disjoint", Severity: finding.Error,
	Summary: "no two appservices claim the same users for themselves, and none claims a person who uses a bridge",
	Why:     "400 M_EXCLUSIVE \"This user ID is reserved by an application service.\": a bridge's bot or ghosts cannot be registered, or a person cannot log in because MAS cannot make the account. Synapse does not check it when it starts.",
	Fix:     "Make the expressions so narrow that each matches the users of its own bridge only.",
	Source:  "Synapse 1.157.1 handlers/register.py check_user_id_not_appservice_exclusive, rest/synapse/mas/users.py",
	Check: func(d *Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			server := s.server.Str()
			if server == "" {
				continue
			}
			for kind, sigil := range map[string]string{"users": "@", "aliases": "#"} {
				d.checkDisjoint(r, s, kind, sigil, server)
			}
			d.checkPeople(r, s, server)
		}
	},
}

// exclusive lists what a registration claims for itself. double-puppet-registration looks after its own.
func (d *Deployment) exclusive(reg *Registration, kind string) []claim {
	if slices.Contains(d.DoublePuppets, reg) {
		return nil
	}
	return slices.DeleteFunc(d.claims(reg, kind), func(c claim) bool { return !c.exclusive })
}

func (d *Deployment) checkDisjoint(r *Reporter, s *Synapse, kind, sigil, server string) {
	type owned struct {
		claim
		bridge *Bridge
	}
	find := search{budget: 2e6}
	all, alphabet := d.ids(sigil, server)
	var before []owned
	for _, reg := range s.Registrations {
		b := d.bridgeOf(reg)
		var mine []owned
		for _, c := range d.exclusive(reg, kind) {
			mine = append(mine, owned{c, b})
		}
		for _, a := range mine {
			for _, z := range before {
				id, ok := find.common(alphabet, a.pattern, z.pattern, all)
				if !ok {
					continue
				}
				if a.bridge.makes(id) && !z.bridge.makes(id) {
					a, z = z, a // the one that is too wide is the one to edit
				}
				r.Fail(fmt.Sprintf("two appservices claim %s for themselves; Synapse lets neither have it (M_EXCLUSIVE)", id),
					a.bridge.narrow(a.claim, server), a.regex.Site(""), z.regex.Site("the other"))
			}
		}
		before = append(before, mine...)
	}
	if find.budget <= 0 {
		r.NotChecked("the namespaces are too involved to hold against each other", s.Config.At("app_service_config_files").Site(""))
	}
}

// makes reports whether an id is the bridge's bot or one of its ghosts. b may be nil.
func (b *Bridge) makes(id string) bool {
	if b == nil {
		return false
	}
	bot, _ := b.bot()
	before, _, _, ok := b.ghosts()
	return strings.HasPrefix(id, "@"+bot+":") || ok && strings.HasPrefix(id, "@"+before)
}

// narrow is the expression that claims, of what c does, what the bridge needs.
func (b *Bridge) narrow(c claim, server string) string {
	var needs []string
	if b != nil && c.re != nil {
		bot, _ := b.bot()
		before, after, _, ok := b.ghosts()
		if c.re.MatchString("@" + bot + ":" + server) {
			needs = append(needs, regexp.QuoteMeta(bot))
		}
		if ok && c.re.MatchString("@"+before+ghostID(b)+after+":"+server) {
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

func (d *Deployment) checkPeople(r *Reporter, s *Synapse, server string) {
	seen := make(map[string]bool)
	for _, b := range d.Bridges {
		for who, level := range b.permissions().Entries() {
			id := who.Str()
			if !strings.HasPrefix(id, "@") || !strings.HasSuffix(id, ":"+server) || seen[id] {
				continue
			}
			seen[id] = true
			for _, reg := range s.Registrations {
				if c := claimed(d.exclusive(reg, "users"), id); c != nil {
					r.Fail(fmt.Sprintf("an appservice claims %s for itself, who is a person; Synapse refuses the account (M_EXCLUSIVE)", id),
						d.bridgeOf(reg).narrow(*c, server), c.regex.Site(""), level.Site("a person"))
				}
			}
		}
	}
}
