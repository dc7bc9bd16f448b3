package spec

import (
	"cmp"
	"fmt"
	"net/mail"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/source"
)

var (
	middleware = regex.Of(`^[A-Za-z0-9][A-Za-z0-9_.-]*@[a-z][a-z0-9-]*$`)
	hostName   = regex.Of(`^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)
	tag        = regex.Of(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}(@sha256:[0-9a-f]{64})?$`)
	repository = regex.Of(`^([A-Za-z0-9.-]+(:[0-9]{1,5})?/)?[a-z0-9]+([._/-]+[a-z0-9]+)*$`)
)

// validate checks what no single field shows: names, addresses, versions, and what would collide. It also
// runs on a spec that could be read in part only, and then says nothing about what was not read.
func (s *Spec) validate(d *decoder) {
	named := s.checkHost(d, s.ServerName, "server_name")
	if s.Hosts.Matrix != "" {
		named = s.checkHost(d, s.Hosts.Matrix, "hosts", "matrix") && named
	}
	named = named && !d.unread([]string{"hosts", "matrix"})
	s.checkPages(d, named)
	s.checkAdmin(d)
	s.checkCalls(d, named)
	s.checkTurn(d)
	s.checkPorts(d)
	s.checkAuth(d, named)
	if named {
		s.checkIngress(d)
	}
	s.checkOwner(d)
	s.checkImages(d)
	s.checkNames(d)
	s.checkPlaces(d)
	s.checkBridges(d)
	s.checkContainers(d, named)
	s.checkDatabases(d)
	s.checkData(d)
	s.checkWorkers(d)
	s.checkKubernetes(d)
	s.checkPermissions(d, s.Permissions, "permissions")
	s.checkServices(d)
	s.checkNumbers(d)
}

// checkHost reports whether the host can be compared with others.
func (s *Spec) checkHost(d *decoder, host string, path ...string) bool {
	v, name := s.At(path...), strings.Join(path, ".")
	lower := strings.ToLower(host)
	bare := "write the name alone, such as example.org"
	if h := bareHost(lower); h != "" {
		bare = v.Name() + ": " + h
	}
	switch {
	case strings.HasPrefix(host, "@") && strings.Contains(host, ":"):
		d.fail(v, name+" is a whole user id; only what follows the colon belongs here", bare)
	case strings.Contains(host, "://"):
		d.fail(v, name+" is a URL; only the host belongs here, as it stands in user ids and certificates", bare)
	case strings.Contains(host, ":"):
		d.fail(v, name+" holds a port; the stack answers on 443, and other servers find it there", bare)
	case host != lower && hostName().MatchString(lower):
		d.fail(v, name+" has upper-case letters; user ids with them are not the same users", bare)
	case strings.Contains(host, "_"):
		d.fail(v, name+" has an underscore; no certificate can be had for such a host", "write a host name of letters, digits, dashes and dots")
	case strings.IndexFunc(host, func(r rune) bool { return r > 0x7e }) >= 0:
		d.fail(v, name+" has letters outside ASCII; Matrix servers compare the ASCII form", "write the punycode form (xn--…) of the name")
	case len(host) > 230 || !hostName().MatchString(host):
		d.fail(v, name+" is not a host name; no other server and no browser could reach it", bare)
	default:
		return !d.unread(path)
	}
	return false
}

// bareHost takes the host out of a URL, a user id, an address of e-mail or a host with a port, for the line that
// a fix proposes; "" when there is none.
func bareHost(s string) string {
	s, _ = bare(strings.TrimSpace(s))
	if _, rest, ok := strings.Cut(s, "://"); ok {
		s = rest
	}
	s, _, _ = strings.Cut(s, "/")
	if local, server, ok := strings.Cut(s, "@"); ok {
		s = server
		if _, host, ok := strings.Cut(server, ":"); ok && local == "" {
			s = host
		}
	}
	s, _, _ = strings.Cut(s, ":")
	s = strings.Trim(s, ".")
	if !hostName().MatchString(s) {
		return ""
	}
	return s
}

// checkOwner refuses root: PostgreSQL does not run as root, and the start scripts of Synapse and PostgreSQL take
// another user when they find themselves root, who cannot read the files.
func (s *Spec) checkOwner(d *decoder) {
	uid, _, _ := strings.Cut(s.Owner, ":")
	if s.Owner != "" && strings.Trim(uid, "0") == "" {
		d.fail(s.At("owner"), "owner is root; PostgreSQL refuses to start as root, and Synapse could not read its files",
			`owner: "1000:1000"; with rootless Docker remove the line and let a container render, see "Owner" in README.md`)
	}
}

// MatrixHost is the host of the client and federation API.
func (s *Spec) MatrixHost() string { return cmp.Or(s.Hosts.Matrix, "matrix."+s.ServerName) }

func (s *Spec) checkBridges(d *decoder) {
	known := BridgeNames()
	for key := range s.At("bridges").Entries() {
		switch why, told := noBridges[key.Str()]; {
		case told:
			d.fail(key, fmt.Sprintf("bridges.%s is not rendered: %s", key.Str(), why[0]), why[1])
		case !slices.Contains(known, key.Str()):
			d.unknown(key, known)
		}
	}
	taken := make(map[string]source.Value)
	unique := func(bridge source.Value, key, value string) {
		at, k := bridge.At(key), key+" "+value
		other, ok := taken[k]
		if !ok {
			taken[k] = at
			return
		}
		first := other.Keys()[1]
		// The one to edit is the one that is written, not the default of the other.
		if !at.Exists() {
			at, other = other, at
		}
		d.fail(at, fmt.Sprintf("the bridges %s and %s have the same %s; the second would not start, or take the users of the first", first, bridge.Name(), k),
			fmt.Sprintf("give one of them another %s, or remove the line for the default", key), other.Site("the other"))
	}
	for c := range component.Bridges() {
		name := string(c.Program)
		b, ok := s.Bridges[name]
		if !ok {
			continue
		}
		at := s.At("bridges", name)
		s.checkPermissions(d, b.Permissions, "bridges", name, "permissions")
		if b.Permissions == nil && s.Permissions == nil && !d.unread([]string{"permissions"}) {
			d.fail(at.At("permissions"), at.Path()+" has no permissions, nor has the spec; the bridge refuses to start when nobody may use it",
				fmt.Sprintf("permissions: {%s: user}", s.ServerName))
		}
		names := b.Names(c.Bridge.Names)
		unique(at, "id", names.ID)
		unique(at, "port", strconv.Itoa(names.Port))
		unique(at, "bot", names.Bot)
		if b.UsernameTemplate == "" {
			unique(at, "username_prefix", names.Prefix)
		}
		if v := at.At("username_template"); v.Exists() && at.At("username_prefix").Exists() {
			d.fail(v, v.Path()+" is the whole of what username_prefix begins; only one of them can be meant", "remove one of the lines", at.At("username_prefix").Site("the other"))
		}
		if names.ID == "doublepuppet" {
			d.fail(at.At("id"), "the id doublepuppet belongs to the appservice for double puppeting; Synapse refuses to start with two of one id", "id: "+c.Bridge.ID)
		}
	}
}

var levels = []string{"block", "relay", "user", "admin"}

func (s *Spec) checkPermissions(d *decoder, perms map[string]Permission, path ...string) {
	at := s.At(path...)
	named := hostName().MatchString(s.ServerName)
	someone := false
	for key, val := range at.Entries() {
		who := key.Str()
		if !slices.Contains(levels, val.Str()) {
			d.fail(val, fmt.Sprintf("the permission of %s must be %s", quote(who), finding.Sentence(levels, "or")), levelFix(who, val.Str()))
		}
		if who == "*" {
			continue
		}
		someone = true
		if !named {
			continue
		}
		local, server, complete := "", who, true
		if strings.HasPrefix(who, "@") {
			local, server, complete = strings.Cut(who[1:], ":")
			complete = complete && local != "" && visible(local)
		}
		level := cmp.Or(choice(val.Str(), levels), "user")
		mail := strings.Contains(server, "@") // anna@example.org
		switch {
		case mail || !strings.ContainsAny(who, ".:@") && localpart(who) != "":
			name, _, _ := strings.Cut(who, "@")
			d.fail(key, fmt.Sprintf("%s is no user id; the permission would apply to nobody", quote(who)),
				fmt.Sprintf("%q: %s", "@"+cmp.Or(localpart(name), "user")+":"+s.ServerName, level))
		case !complete:
			d.fail(key, fmt.Sprintf("%s is not a whole user id; the permission would apply to nobody", quote(who)),
				fmt.Sprintf("%q: %s", "@"+cmp.Or(local, "user")+":"+s.ServerName, level))
		case server != s.ServerName:
			d.fail(key, fmt.Sprintf("the permission is for %s, but the users of this stack are on %s; it would apply to none of them", quote(server), s.ServerName),
				fmt.Sprintf("%q: %s", strings.TrimSuffix(who, server)+s.ServerName, level))
		}
	}
	if perms != nil && !someone {
		d.fail(at, at.Path()+" names no server and no user; a bridge refuses to start with that", s.ServerName+": user")
	}
}

// levelFix is the line with the level that was meant, if that can be known.
func levelFix(who, level string) string {
	if meant := choice(level, levels); meant != "" {
		return fmt.Sprintf("%q: %s", who, meant)
	}
	return "write " + finding.Sentence(levels, "or") + " behind it"
}

// visible reports whether a text is of printable ASCII without blanks, as user ids and URLs are.
func visible(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

// localpart is a text that may begin a user id; "" for what may not.
func localpart(s string) string {
	if s = strings.ToLower(s); strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789._=/+-") != "" {
		return ""
	}
	return s
}

func (s *Spec) checkServices(d *decoder) {
	if from := s.At("email", "from"); from.Exists() {
		switch _, err := mail.ParseAddress(s.Email.From); {
		case err != nil || strings.ContainsFunc(s.Email.From, unicode.IsControl):
			d.fail(from, "email.from is not an address; MAS refuses to start with it", "from: matrix@"+s.ServerName)
		case strings.Contains(s.Email.From, "%"):
			d.fail(from, "email.from has a percent sign, which begins a placeholder for Synapse; it could send nothing", "from: matrix@"+s.ServerName)
		}
	}
	turn := s.At("synapse", "turn")
	if turn.Set() && len(s.Synapse.TURN.URIs) == 0 {
		d.fail(turn, "synapse.turn names no uris; calls would not find the server", "uris: [\"turn:turn."+s.ServerName+"?transport=udp\"]")
	}
	for _, item := range s.At("synapse", "turn", "uris").Items() {
		if scheme, _, _ := strings.Cut(item.Str(), ":"); !slices.Contains([]string{"turn", "turns", "stun"}, scheme) || !visible(item.Str()) {
			d.fail(item, item.Path()+" is no address of a TURN server; it must begin with `turn:`, `turns:` or `stun:` in front of the host", "turn:turn."+s.ServerName+"?transport=udp")
		}
	}
	borg := s.At("backup", "borgmatic")
	if borg.Set() && len(s.Backup.Borgmatic.Repositories) == 0 {
		d.fail(borg, "backup.borgmatic has no repository to back up to", "repositories: [{path: ssh://borg@backup.example.org/./matrix}]")
	}
	for _, item := range borg.At("sources").Items() {
		switch {
		case !strings.HasPrefix(item.Str(), "/"):
			d.fail(item, item.Path()+" is no absolute path; borgmatic runs in a directory of its own and would not find it", "/home/anna/"+path.Base(item.Str()))
		case strings.ContainsFunc(item.Str(), unicode.IsControl):
			d.fail(item, item.Path()+" is no path on one line; borgmatic would not find it", "/home/anna/matrix")
		}
	}
	if rep := s.Synapse.Retention; s.At("synapse", "retention").Set() && rep.MaxLifetime == "" {
		d.fail(s.At("synapse", "retention"), "synapse.retention has no max_lifetime; nothing would ever be deleted", "retention: {max_lifetime: 365d}")
	}
	s.checkFiles(d)
	for _, v := range slices.Concat(s.At("database", "extra").Refs(), s.At("synapse", "well_known_extra").Refs(), s.At("calls", "jwt", "extra").Refs(), s.At("turn", "extra").Refs()) {
		d.fail(v, v.Path()+" cannot be a secret; everybody could read it", "a value")
	}
	if store := s.At("secrets", "store"); len(s.Secrets.Store) > 0 && len(s.Secrets.Command) == 0 {
		d.fail(store, "secrets.store stores what no secrets.command reads; the next render would not find it", "command: [sops, -d, secrets.enc.yaml]")
	}
	for key, v := range s.At("secrets", "from").Entries() {
		name := key.Str()
		if from := s.Secrets.From[name]; (from.File == "") == (len(from.Command) == 0) {
			d.fail(v, "the secret "+quote(name)+" must come from a file or from a command, one of the two", quote(name)+": {file: path}")
		}
	}
	for _, forbidden := range []string{"m.homeserver", "m.identity_server"} {
		if v := s.At("synapse", "well_known_extra", forbidden); v.Exists() {
			d.fail(v, forbidden+" cannot stand in well_known_extra; Synapse refuses to start with it", "remove the line")
		}
	}
}
