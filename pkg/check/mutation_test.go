package check_test

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/deployment/compose/composego"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/fixture"
)

// mutated are the stacks that are broken: the reference deployment, and then what each next one has that those before have not.
// A line that is added turns on what the example leaves off; of several bridges one is enough, because they share a template.
var mutated = []struct{ name, spec, old, new string }{
	{"reference", "../../examples/phil-app/stack.yaml", "", ""},
	{"managed Traefik", "../../examples/family/stack.yaml", "whatsapp: {}, telegram: {}, slack: {}", ""},
	{"appservices", "../../examples/appservices/stack.yaml", "version: 1\n", "version: 1\nelement: {}\ncalls: {node_ip: 203.0.113.7}\nadmin: {allow_from: [192.168.0.0/16]}\n"},
	{"Caddy", "../../examples/caddy/stack.yaml", "version: 1\n", "version: 1\ncalls: {}\nturn: {external_ip: 203.0.113.7}\nadmin: {allow_from: [192.168.0.0/16]}\nmetrics: true\n"},
	{"Caddy's labels", "../../examples/caddy-docker-proxy/stack.yaml", "version: 1\n", "version: 1\nelement: {}\nadmin: {allow_from: [192.168.0.0/16]}\n"},
	{"nginx", "../../examples/nginx/stack.yaml", "version: 1\n", "version: 1\ncalls: {}\nadmin: {allow_from: [192.168.0.0/16]}\n"},
	{"own login", "../render/testdata/specs/own-login/stack.yaml", "", ""},
	{"workers", "../../examples/minimal/stack.yaml", "version: 1\n", "version: 1\nsynapse: {workers: {sync: 1, media: 1, typing: 1, event_persister: 1, federation_sender: 1, background: 1}}\n"},
}

// harmless are the mutations that no rule has to catch, as regular expressions for FILE#KEYS WHAT, with the reason.
var harmless = []struct{ pattern, reason string }{
	{`\.image (ghcr.io|docker.io|dock.mau.dev|library|element-hq|mautrix|a secret|synapse|postgres|signal|whatsapp|telegram|discord|meta) is changed`, "a mirror may have any name; the pull tells of one that does not exist"},
	{`\.image v?\d`, "there may be such a release"},
	{`^docker-compose.yml#name `, "the name of the project is free"},
	{`displayname|avatar|human_name|description|command_prefix`, "a text or picture for people"},
	{`^config/matrix/log.config#|#logging\.`, "what is logged is free, and a rule looks at what would stop Synapse"},
	{`report_stats|suppress_key_server_warning|trusted_key_servers|compress|cp_(min|max)`, "a choice that works either way"},
	{`encryption\.(allow|default|require) flipped|allow_discovery|verify_ssl|provisioning`, "a choice of whoever runs the bridge"},
	{`passwords\.enabled|password_registration_enabled`, "how users log in is a choice"},
	{`(read_only flipped|(cap_drop|security_opt)\.0 (dropped|true is changed)|logging\.options)`, "what a container is kept from; it works as well without"},
	{`(synapse|postgres)\.tmpfs\.\d dropped|TMPDIR`, "uploads go to the data directory, and only a user that the image does not know wants /tmp of PostgreSQL"},
	{`services\.(signal|whatsapp|telegram|discord|meta|mas) `, "others call it by its alias"},
	{`email_change_allowed`, "what users may change is a choice"},
	{`syn2mas`, "a tool that is run by hand, whose errors are read at once"},
	{`direct_media\.server_key`, "direct media is off, and the key is no copy of another"},
	{`healthcheck\.(retries|test\.\d (-fsS|-q|-U|postgres) is changed|test\.\d dropped)`, "how a check asks, and how patiently; what it asks and whom is looked at"},
	{`mas\.healthcheck\.disable`, "the image has no check of its own"},
	{`volumes\.\d ro is changed`, "Docker refuses a mode that it does not know before anything starts"},
	{`db-init\.command\.[12] dropped`, "psql without -X or -q only says more"},
	{`bind_addresses\.0 dropped`, "for an empty list Synapse takes its default, all addresses"},
	{`media_store_path media_store`, "any directory on the mount will do"},
	{`listeners\.1 dropped|listeners\.1\.binds\.0\.port`, "nothing asks MAS for its health"},
	{`trusted_proxies`, "which addresses Docker gives the proxy cannot be known"},
	{`secrets\.keys\.1 dropped`, "the RSA key is enough"},
	{`schemes\.1|unicode_normalization`, "what new passwords are hashed with is a choice"},
	{`\.issuer `, "the name of a provider outside of the stack"},
	{`borgmatic.*#(archive_name_format|keep_|repositories|exclude_patterns|uptime_kuma|source_directories|encryption_passcommand|numeric_ids)`, "what is kept, how long and where; paths of the machine cannot be seen"},
	{`keycloak.*#(attributes.backchannel.logout.revoke|defaultClientScopes.0|directAccessGrants|implicitFlow|serviceAccounts)`, "other ways to use the client, of which MAS uses none"},
	{`services\.\w+\.command\.0 (bin|usr) is changed`, "where an image has its program cannot be seen"},
	{`127\.0\.0\.1 is changed`, "all of 127.0.0.0/8 is the container itself"},
	{`matrix-mas-slash\.redirectregex\.regex`, "Traefik strips the bare path to the root of MAS, whose links have the whole path"},
	{`matrix-matrix\.rule client`, "what Synapse serves below /_synapse/client is for features that are off here"},
	{`secrets/(mas_upstream_keycloak|synapse_form_secret|synapse_macaroon_secret_key|borg_passphrase)#`, "this one is no copy"},
	// What follows is of the other stacks.
	{`config/element/config.json#(disable_guests|setting_defaults|embedded_pages)`, "which buttons Element Web shows is a choice"},
	{`config/ketesa/config.json#asManagedUsers`, "whom the page keeps from edits by mistake is a choice"},
	{`config/(irc|hookshot/data)/registration\.ya?ml#url`, "it listens where its command or its configuration says; the address is for Synapse, and stands in its copy"},
	{`config/lk-jwt/registration.yaml#`, "lk-jwt-service takes the tokens from its copy, and no more"},
	{`config/matrix/lk-jwt.yaml#(id|sender_localpart|rate_limited)`, "any name will do, and its few requests fit into the limits"},
	{`account\.password_(registration_token_required|recovery_enabled)|#(enable_registration|registration_requires_token|registrations_require_3pid|password_config\.enabled)`, "who may register, and how, is a choice"},
	{`#email\.(hostname|port|username|from|reply_to|smtp_\w+|notif_from|require_transport_security)|secrets/mas_email_password`, "the mail server is outside of the stack, and Synapse and MAS may each have their own"},
	{`webhook\.urls\.0 dropped`, "clients end calls by themselves, a little later"},
	{`#rc_(message|delayed_event_mgmt)|msc4222`, "how much clients may send, and how quickly some of them synchronise, is a choice"},
	{`(rtc_foci|transports)\.0 dropped`, "clients find calls in the other of the two places"},
	{`rule (element|admin|maubot)\.example\.org|caddy_[23] (element|admin)\.example\.org`, "the host of a page stands nowhere else: whoever opens it sees at once that it is gone"},
	{`matrix-(element|ketesa)\.loadBalancer\.servers\.0 dropped|127\.0\.0\.1:8010 \{ 8010`, "whoever opens a page sees at once that there is none"},
	{`matrix-(livekit|lk-jwt)\.loadBalancer\.servers\.0 dropped`, "Traefik says 503 to each request, and which one is down in its log"},
	{`(?i)(sourcerange|outside(\.not)?|remote_ip|allow) ?.*(192\.168|16|not is|dropped)`, "where administrators come from is a choice, and who closes a page to all sees it at once"},
	{`(?i)respond 403|outside 403|handle\.respond`, "any number of an error will do"},
	{`(?i)ketesa.*(middlewares\.0 dropped|deny all|-outside)|admin\.example\.org\.conf#(deny|allow)`, "the page itself is files that everybody may have; the admin APIs behind it are looked at"},
	{`(?i)content.?type.?nosniff|header_down|(add|hide)_header|(element|ketesa|websecure\.http)\.middlewares\.\d dropped`, "headers that harden a page: it works as well without"},
	{`proxy_set_header (Host|X-Forwarded-Proto|Connection)|(element|admin|rtc)\.example\.org\.conf#proxy_set_header X-Forwarded-For`, "Synapse and MAS know their own addresses, and the pages ask for none"},
	{`location \^~ /(auth|_synapse)/\S+ |proxy_set_header X-Forwarded-For`, "one of several locations: that of all users is looked at"},
	{`#resolver 127\.0\.0\.11`, "a location within another has its resolver, and of the others those of clients, servers, calls and pages are looked at"},
	{`proxy_http_version|proxy_read_timeout|proxy_buffering|readTimeout`, "how long an answer may take, and in which form"},
	{`deny all; all is changed`, "nginx refuses an address that is none before it takes the file"},
	{`client_max_body_size`, "no files are uploaded at this location"},
	{`server_name|ssl_certificate|listen |return 301|root /var|acme-challenge|return 404|respond 404|location = |mas-bare|redirectRegex|matrix-mas\.middlewares\.0`, "certificates and plain HTTP are the proxy's own, a request without a name meets the first server, and what leads nowhere may say so in any way"},
	{`/?_?synapse/?client|@matrix-matrix`, "what Synapse serves below /_synapse/client is for features that are off here"},
	{`include matrix/|set \$stackgen|proxy_pass|rewrite`, "one of the pages, or a location that few ask for: those of clients, servers and calls are looked at"},
	{`entryPoints\.0 dropped|entryPoints\.web\.|providers\.file\.watch|global\.|traefik\.yml#log|certificatesResolvers`, "Traefik's defaults serve as well; who is told of expiring certificates, and where they are kept, is a choice"},
	{`services\.(\w|-)+ (element|livekit|lk-jwt|ketesa|irc|hookshot|maubot|coturn|traefik) is`, "others call it by its alias"},
	{`services\.traefik\.(ports|volumes\.2|healthcheck)`, "a router in front may forward any port, and certificates that are lost are made again"},
	{`services\.(\w|-)+\.(tmpfs|image|user)|ketesa\.healthcheck`, "what a program may write to beside its data, where an image comes from, and as whom it runs, is free"},
	{`services\.(irc|maubot)\.command\.\d (-\w|maubot) is changed|services\.(irc\.command\.[01]|maubot\.command\.\d) dropped`, "the program stops at words that it does not know, and says which"},
	{`services\.coturn\.(command|networks)\.0 `, "where its log goes is free, and for a list without networks it is in the default one, which leads outside, too"},
	{`lk-jwt\.networks\.stack|(mas|synapse)\.networks\.metrics|networks\.(metrics\.internal|ingress\.name)`, "it has that name in another network, too; who else is in one outside of the stack cannot be seen"},
	{`(bridge\.bindAddress|listeners\.0\.bindAddress|server\.hostname) 0\.0\.0\.0 is`, "no container has such an address, and the program says so at its start"},
	{`hookshot/data/config\.yml#(feeds|generic)\.enabled`, "which of its services hookshot has is a choice"},
	{`hookshot/data/config\.yml#bridge\.mediaUrl`, "another host may serve media, too"},
	{`matrix-hookshot\.rule (_matrix|hookshot) is`, "nobody asks for the path without its slash"},
	{`maubot/config/config\.yaml#homeservers`, "a maubot in a network of other stacks may be for the server of one of them"},
	{`maubot/config/config\.yaml#plugin_(databases|directories)|services\.maubot\.volumes\.1 `, "where maubot keeps its plugins is free, and it says at its start where it cannot write"},
	{`maubot/config/config\.yaml#server\.(public_url|override_resource_path)`, "the one is for links of its plugins alone, and the other a path in its image, which cannot be seen"},
	{`services\.maubot\.networks\.stack\.aliases\.0 dropped`, "nobody asks maubot by that name"},
	{`use_external_ip|node_ip`, "which address this host has cannot be seen"},
	{`config/coturn/turnserver\.conf#(denied-peer-ip|realm|use-auth-secret|fingerprint|no-|user-quota|total-quota|pidfile|(listening|min)-port)`, "the private networks are looked at, and coturn refuses loopback by itself; all else has a default that serves"},
	{`turn_uris`, "the name of the host stands in DNS alone, and one way to it is enough"},
	{`config/prometheus/`, "what a Prometheus asks, how often and under which labels is a choice"},
	{`permissions\.(@|0)`, "who administers a bridge, and who may use hookshot, is a choice"},
	{`(element|ketesa)\.networks\.0 dropped`, "a list without entries is taken for none, and then the proxy may be in the default network, too"},
	// What follows is of workers.
	{`haproxy\.cfg#(log|maxconn|mode|option|timeout|resolvers|parse-resolv-conf|hold|default-server|global|defaults)\b`, "HAProxy refuses a word that it does not know before it takes the file; what is logged, how long things take and how often a process is asked for its health is a choice"},
	{`haproxy\.cfg#(frontend (health|synapse) \w+ is|frontend synapse dropped)`, "what a frontend is called is free, and two of them may be one"},
	{`haproxy\.cfg#server (\w+) \S+ (main|\w+1) is`, "what a server is called stands nowhere else"},
	{`haproxy\.cfg#(acl|use_backend main if) (to-device|account-data|receipts|presence|push-rules|thread-subscriptions|device-lists|sync|sliding-sync)\b|use_backend main if`, "what no line leads to a worker the main process gets, and answers"},
	{`haproxy\.cfg#(acl (quarantine|media) path_reg '\^/_synapse/admin|use_backend media if quarantine)|quarantined_media_changes`, "no way in leads to the admin API, which is off here"},
	{`haproxy\.cfg#acl typing .* (v1|v3) is changed`, "one of several forms of a path: that of all clients is looked at"},
	{`#enable_media_repo flipped`, "the main process is asked for no media, and the worker has it on in its own file"},
	{`valkey\.conf#(bind|port|protected-mode|save|appendonly)|networks\.synapse-valkey\.internal|synapse-valkey\.command\.0 dropped`, "Valkey's defaults serve as well, with a password; its start script adds the program, and what goes through it is of the moment"},
	{`(background|event-persister|federation-sender)1\.yaml#worker_listeners\.0\.(x_forwarded|resources\.0\.names\.0)`, "nobody but its own health check asks it for anything, and each listener answers that"},
	{`sync1\.yaml#worker_name`, "a worker that has no duty may have any name"},
	{`services\.synapse-[a-z-]+1 (synapse-[a-z-]+1|a secret) is changed`, "others call it by its alias"},
	{`services\.postgres\.command`, "PostgreSQL refuses words that it does not know at its start, and its log says which"},
	{`matrix-matrix\.rule _synapse`, "what Synapse serves below /_synapse/client is for features that are off here"},
	{`secrets/synapse_replication_secret`, "all processes read the one file"},
	{`oidc_providers\.\d(\.(idp_id|idp_name|client_id|client_auth_method|scopes|allow_existing_users|issuer))? ?|oidc_providers\.\d.*dropped|secrets/synapse_(upstream_work|registration_shared_secret)|keycloak/matrix.json#name`, "what a provider outside of the stack calls us cannot be seen"},
}

// TestMutations breaks rendered stacks in every way in which two files can come to disagree. Each change is caught by an
// error or warning with a place on the line that was changed; for a file that is one secret, by one that names the file or
// where it is read.
func TestMutations(t *testing.T) {
	if fixture.Race {
		t.Skip("skipped: thousands of runs of all rules take too long under the race detector; the same rules run in TestRuleCases")
	}
	var patterns []*regexp.Regexp
	for _, h := range harmless {
		patterns = append(patterns, regexp.MustCompile(h.pattern))
	}
	excused := make([]int, len(harmless))
	seen := make(map[string]bool)
	for _, s := range mutated {
		tree := renderedWith(s.spec, s.old, s.new)
		ms := slices.DeleteFunc(mutations(t, tree), func(m mutation) bool { return seen[m.id] })
		for _, m := range ms {
			seen[m.id] = true
		}
		t.Run(s.name, func(t *testing.T) {
			if found := run(t, tree); len(found) > 0 {
				t.Fatalf("%s is found before anything is changed: %s", found[0].Rule, found[0].Message)
			}
			count := make(map[told]int)
			for i, said := range answers(tree, ms, answer) {
				count[said]++
				if said > unsaid {
					continue
				}
				m := fmt.Sprintf("%s#%s %s", ms[i].file, ms[i].keys, ms[i].what)
				n := slices.IndexFunc(patterns, func(p *regexp.Regexp) bool { return p.MatchString(m) })
				if n < 0 {
					t.Error(m)
					continue
				}
				excused[n]++
			}
			t.Logf("%d mutations: %d found in their place, %d at another, %d said to be not checked, %d cannot matter",
				len(ms), count[atPlace], count[atOther], count[notLooked], count[unsaid])
		})
	}
	for i, n := range excused {
		if n == 0 {
			t.Errorf("nothing is left that %q excuses", harmless[i].pattern)
		}
		t.Logf("%4d excused, because %s", n, harmless[i].reason)
	}
}

// told is what is said of a mutation.
type told int

const (
	unsaid    told = iota
	notLooked      // that something was not checked because of it
	atOther        // an error or warning at the other of the two places that disagree, or at the router that takes a request now
	atObject       // in a manifest, an error or warning at the object that it is in
	atPlace        // an error or warning at its line, or at a block around it
)

// answers tries each mutation.
func answers(tree fstest.MapFS, ms []mutation, answer func(fstest.MapFS, mutation) told) []told {
	var group sync.WaitGroup
	work, all := make(chan int), make([]told, len(ms))
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for i := range work {
				all[i] = answer(tree, ms[i])
			}
		})
	}
	for i := range ms {
		work <- i
	}
	close(work)
	group.Wait()
	return all
}

// answer asks the rules, and Compose only where they say nothing of its own file: its verdict costs as much as all of them.
func answer(tree fstest.MapFS, m mutation) told {
	broken := maps.Clone(tree)
	broken[m.file] = &fstest.MapFile{Data: []byte(m.data), Mode: tree[m.file].Mode, Sys: tree[m.file].Sys}
	best := answerBy(broken, m, nil)
	if best < atPlace && m.file == "docker-compose.yml" {
		best = answerBy(broken, m, composego.Judge)
	}
	return best
}

func answerBy(broken fstest.MapFS, m mutation, judge *deployment.Judge) (best told) {
	d, findings := compose.Open(broken)
	more, _ := check.Run(d, judge)
	for _, f := range append(findings, more...) {
		// A label that no longer fits says that something was changed, not what is wrong with it.
		if f.Rule == "compose-config-hash" && !strings.HasSuffix(m.keys, f.Rule[len("compose-"):]) || judge == nil && f.Rule == "compose-valid" {
			continue
		}
		if f.Severity == finding.Info {
			best = max(best, notLooked)
			continue
		}
		best = max(best, atOther)
		for _, s := range f.Sites {
			switch {
			case s.File == m.file && (s.Line >= m.line && s.Line <= m.last || slices.Contains(m.around, s.Line)):
				return atPlace
			case m.line == 0 && (s.File == m.file || strings.Contains(s.Text(), path.Base(m.file))):
				return atPlace
			}
		}
	}
	return best
}
