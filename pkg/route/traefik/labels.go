package traefik

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/traefik/paerser/types"
)

// The structs below mirror the shape of Traefik's dynamic configuration as far as labels reach it: a key
// without a field here is one that Traefik refuses. Below a field of type opaque every key is accepted.

type opaque = map[string]any

type providerLabels struct {
	Enable bool
	Docker *dockerLabels
	Swarm  *dockerLabels
}

type dockerLabels struct {
	Network         *string
	LBSwarm         bool
	AllowNonRunning bool
}

type dynamicLabels struct {
	HTTP *httpLabels
	TCP  opaque
	UDP  opaque
	TLS  opaque
}

type httpLabels struct {
	Routers           map[string]*routerLabels
	Services          map[string]*serviceLabels
	Middlewares       map[string]*middlewareLabels
	Models            opaque
	ServersTransports opaque `label:"-"`
}

type routerLabels struct {
	EntryPoints                 []string
	Middlewares                 []string
	Service                     string
	Rule                        string
	RuleSyntax                  string
	Priority                    int
	TLS                         *routerTLS `label:"allowEmpty"`
	Observability               *observability
	ParentRefs                  []string `label:"-"`
	DefaultRule                 bool     `label:"-"`
	DeniedEncodedPathCharacters opaque   `label:"-"`
}

type routerTLS struct {
	Options         string
	ResolvedOptions string `label:"-"`
	CertResolver    string
	Domains         []struct {
		Main string
		SANs []string
	}
}

type observability struct {
	AccessLogs, Metrics, Tracing *bool
	TraceVerbosity               string
	Metadata                     opaque `label:"-"`
}

type serviceLabels struct {
	Middlewares         []string
	LoadBalancer        *loadBalancer
	HighestRandomWeight opaque `label:"-"`
	Weighted            opaque `label:"-"`
	Mirroring           opaque `label:"-"`
	Failover            opaque `label:"-"`
}

type loadBalancer struct {
	Sticky              *sticky  `label:"allowEmpty"`
	Servers             []server `label-slice-as-struct:"server"`
	Strategy            string
	HealthCheck         *healthCheck
	PassiveHealthCheck  *passiveHealthCheck
	PassHostHeader      *bool
	ResponseForwarding  *responseForwarding
	ServersTransport    string
	NginxUpstreamHashBy string `label:"-"`
}

// SetDefaults is called by the decoder. Two containers share a service only if it is equal with defaults.
func (l *loadBalancer) SetDefaults() {
	l.PassHostHeader = new(true)
	l.Strategy = "wrr"
	l.ResponseForwarding = &responseForwarding{FlushInterval: types.Duration(100 * time.Millisecond)}
}

type server struct {
	URL          string
	Scheme       string
	Port         string
	Weight       *int
	PreservePath bool
	Fenced       bool `label:"-"`
}

type sticky struct {
	Cookie *struct {
		Name     string
		Secure   bool
		HTTPOnly bool
		SameSite string
		MaxAge   int
		Path     *string
		Domain   string
		Expires  int `label:"-"`
	} `label:"allowEmpty"`
}

type healthCheck struct {
	Scheme, Mode, Path, Method string
	Status, Port               int
	Interval, Timeout          types.Duration
	UnhealthyInterval          *types.Duration
	Hostname                   string
	FollowRedirects            *bool
	Headers                    map[string]string
}

type passiveHealthCheck struct {
	FailureWindow     types.Duration
	MaxFailedAttempts int
}

type responseForwarding struct {
	FlushInterval types.Duration
}

type middlewareLabels struct {
	AddPrefix        *struct{ Prefix string }
	StripPrefix      *stripPrefix
	StripPrefixRegex *struct{ Regex []string }
	ReplacePath      *struct{ Path string }
	ReplacePathRegex *struct{ Regex, Replacement string }
	RedirectRegex    *redirectRegex
	RedirectScheme   *redirectScheme
	Chain            *struct{ Middlewares []string }

	BasicAuth         opaque
	Buffering         opaque
	CircuitBreaker    opaque
	Compress          opaque `label:"allowEmpty"`
	ContentType       opaque `label:"allowEmpty"`
	DigestAuth        opaque
	EncodedCharacters opaque
	Errors            opaque
	ForwardAuth       opaque
	GrpcWeb           opaque
	Headers           opaque
	InFlightReq       opaque
	IPAllowList       *allowList
	IPWhiteList       *allowList
	PassTLSClientCert opaque
	Plugin            opaque
	RateLimit         opaque
	Retry             opaque

	RequestHeaderModifier            opaque `label:"-"`
	ResponseHeaderModifier           opaque `label:"-"`
	RequestRedirect                  opaque `label:"-"`
	URLRewrite                       opaque `label:"-"`
	AuthTLSPassCertificateToUpstream opaque `label:"-"`
	Snippet                          opaque `label:"-"`
	RewriteTarget                    opaque `label:"-"`
	UpstreamVHost                    opaque `label:"-"`
	AppRoot                          opaque `label:"-"`
}

type allowList struct {
	SourceRange      []string
	IPStrategy       opaque `label:"allowEmpty"`
	RejectStatusCode int
}

// allows are the networks that the list lets through; nil where who asks is told by what they send.
func (m *middlewareLabels) allows() []string {
	l := cmp.Or(m.IPAllowList, m.IPWhiteList)
	if l == nil || l.IPStrategy != nil {
		return nil
	}
	return l.SourceRange
}

// securityHeaders are the headers that Traefik has words of its own for (pkg/middlewares/headers/secure.go).
var securityHeaders = [][2]string{
	{"customframeoptionsvalue", "X-Frame-Options"}, {"contentsecuritypolicy", "Content-Security-Policy"}, {"referrerpolicy", "Referrer-Policy"}, {"permissionspolicy", "Permissions-Policy"},
}

// answers are the headers that it sets in every answer.
func (m *middlewareLabels) answers() (headers [][2]string) {
	words := make(map[string]any, len(m.Headers))
	for key, v := range m.Headers {
		words[strings.ToLower(key)] = v
	}
	for _, w := range securityHeaders {
		if text, ok := words[w[0]].(string); ok {
			headers = append(headers, [2]string{w[1], text})
		}
	}
	if text, _ := words["contenttypenosniff"].(string); text == "true" {
		headers = append(headers, [2]string{"X-Content-Type-Options", "nosniff"})
	}
	custom, _ := words["customresponseheaders"].(opaque)
	for _, name := range slices.Sorted(maps.Keys(custom)) {
		if text, ok := custom[name].(string); ok {
			headers = append(headers, [2]string{name, text})
		}
	}
	return headers
}

type stripPrefix struct {
	Prefixes   []string
	ForceSlash *bool
}

type redirectRegex struct {
	Regex, Replacement string
	Permanent          bool
	StatusCode         *int `label:"-"`
}

type redirectScheme struct {
	Scheme, Port           string
	Permanent              bool
	ForcePermanentRedirect bool `label:"-"`
}
