package route

import (
	"cmp"
	"net/url"
)

// Ask is a request as a proxy gets it: the host as the client sent it and without its port in lower case, the entry
// by which it comes in (nil where that cannot be seen).
type Ask struct {
	Method, HostPort, Host, Port string
	URL                          *url.URL
	Entry                        *Entry
}

// End is where a proxy that runs through its configuration ends with a request. Path is the escaped path, without
// query, that the backend is asked for; Answer is the text of the proxy's own answer, Status its number.
type End struct {
	Router            *Router
	Path              string
	Redirect, Refused string
	Unknown           string
	Answer            string
	Guards            []*Middleware
	Tried             []Attempt
}

// follow has the proxy itself decide.
func (t *Table) follow(res *Result, e *Entry, req *Request, host string, u *url.URL) {
	end := t.run(Ask{req.Method, host, req.Host, port(host), u, e})
	res.Router, res.Tried, res.Guards, res.Answer = end.Router, end.Tried, end.Guards, end.Answer
	res.Redirect, res.Refused, res.Unknown = end.Redirect, end.Refused, end.Unknown
	if end.Router == nil {
		return
	}
	res.Unknown = cmp.Or(res.Unknown, end.Router.Unchecked)
	if res.Redirect == "" && res.Refused == "" {
		res.Path = end.Path
	}
	res.serve(end.Router.To)
}
