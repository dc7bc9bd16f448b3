package route

import (
	"cmp"
	"net/url"
	"strings"
	"time"

	"philipp.info/stackgen/pkg/source"
)

// Ask is a request as a proxy gets it: the host as the client sent it and without its port in lower case, the entry
// by which it comes in (nil where that cannot be seen).
type Ask struct {
	Method, HostPort, Host, Port string
	URL                          *url.URL
	Entry                        *Entry
}

// End is where a proxy that runs through its configuration ends with a request. Path is the escaped path, without
// query, that the backend is asked for; Answer is the text of the proxy's own answer, File where that lies among the files of the
// deployment, if it is one of those. Unread says why a file with which the proxy answers is not read, where somebody asks for it.
type End struct {
	Router            *Router
	Path              string
	Redirect, Refused string
	Unknown           string
	Answer            string
	File, Unread      string
	Guards            []*Middleware
	Tried             []Attempt
	Passes            *Passes
	Sends             *[]Header
}

// Passes is what a proxy hands on of a request besides its path. Body is how many bytes of a body it takes at most, 0 for any
// number; Default says that nobody wrote that. Upgrades says that it asks the backend for a WebSocket where it is asked for one.
// Wait is how long it waits for the backend to answer, 0 where that is long enough for anybody.
type Passes struct {
	Body                 int64
	Default              bool
	Upgrades             bool
	Forwards             bool // it says where a request came from
	Wait                 time.Duration
	Resolves             bool   // it is said whom nginx asks for the address of a name behind a variable
	Unresolved           string // such a name, where nobody says so
	BodyAt, Site, WaitAt source.Site
}

// Files reads what a proxy has at a path of its container: the text, where it lies among the files of the deployment, and why not.
type Files func(inside string) (text, at, reason string)

// discovery is the only directory whose files are read: nothing else that a proxy serves concerns Matrix.
const discovery = "/.well-known/matrix/"

// Serve has the proxy answer a request for a path with a file, where that is one for clients or other servers of Matrix. unclear says
// why it is not the file, or not as it lies there.
func (e *End) Serve(files Files, asked, inside, unclear string) {
	switch {
	case !strings.HasPrefix(asked, discovery) || strings.HasSuffix(asked, "/"):
	case unclear != "" || files == nil:
		e.Unread = unclear
	default:
		e.Answer, e.File, e.Unread = files(inside)
	}
}

// Header is one that a proxy adds to an answer by itself. Of one whose value cannot be told that is "".
type Header struct {
	Name, Value string
	Site        source.Site
}

// NewProgram is the table of a proxy that decides by itself, with its routers in the order of its file. unread says why the file
// is not read, "" where it is: then no answer can be told, and run is not asked. Paths are shown as they were sent.
func NewProgram(p Parts, unread string, run func(Ask) End) *Table {
	for i, r := range p.Routers {
		r.Priority = len(p.Routers) - i
	}
	p.Seen = func(escaped string) (string, error) { return escaped, nil }
	p.Run = func(a Ask) End {
		if unread != "" {
			return End{Unknown: unread}
		}
		return run(a)
	}
	return New(p)
}

// Behind has requests that come to a container go on by the table of the proxy that it is.
func (t *Table) Behind(container string, o *Table) {
	if t.behind == nil {
		t.behind = make(map[string]*Table)
	}
	t.behind[container] = o
}

// Alike says which containers are processes of one program, among which it is the same who gets a request.
func (t *Table) Alike(alike func(a, b string) bool) { t.alike = alike }

// Door is the router by which the request came in: that of the first proxy, where there are several; nil where none took it.
func (res Result) Door() *Router {
	if len(res.Through) > 0 {
		return res.Through[0]
	}
	return res.Router
}

// goOn sends a request that another proxy gets through its table, too.
func (t *Table) goOn(res *Result, req *Request, hostport string, u *url.URL) {
	if res.Backend == nil || res.Redirect != "" || res.Refused != "" || res.Path == "" || len(res.Among) > 0 {
		return
	}
	o := t.behind[res.Backend.Container]
	if o == nil || o.run == nil {
		return
	}
	next := *u
	next.Path, next.RawPath = res.Path, ""
	if plain, err := url.PathUnescape(res.Path); err == nil {
		next.Path, next.RawPath = plain, res.Path
	}
	inner := Result{Entry: res.Entry, Note: res.Note}
	inner.Asked, inner.Behind = res.Asked, res.Behind
	var e *Entry
	for i := range o.entries.All {
		if o.entries.All[i].Name == ":"+res.Backend.Port {
			e = &o.entries.All[i]
		}
	}
	o.follow(&inner, e, req, hostport, &next)
	if inner.Router == nil && inner.Unknown == "" {
		return // whoever it is does not send it on
	}
	inner.Tried = append(res.Tried, inner.Tried...)
	inner.Guards = append(res.Guards, inner.Guards...)
	inner.Through = append(res.Through, res.Router)
	inner.Unknown = cmp.Or(res.Unknown, inner.Unknown) // such as a middleware of another stack, behind which it goes on
	*res = inner
}

// follow has the proxy itself decide.
func (t *Table) follow(res *Result, e *Entry, req *Request, host string, u *url.URL) {
	end := t.run(Ask{req.Method, host, req.Host, port(host), u, e})
	res.Router, res.Tried, res.Guards, res.Answer = end.Router, end.Tried, end.Guards, end.Answer
	res.Passes, res.Sends, res.File, res.Unread = end.Passes, end.Sends, end.File, end.Unread
	res.Redirect, res.Refused, res.Unknown = end.Redirect, end.Refused, end.Unknown
	if end.Router == nil {
		return
	}
	res.Unknown = cmp.Or(res.Unknown, end.Router.Unchecked)
	if res.Redirect == "" && res.Refused == "" {
		res.Path = end.Path
	}
	res.serve(end.Router.To, t.alike)
}
