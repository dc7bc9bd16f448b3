package coturn_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/coturn"
	"philipp.info/stackgen/pkg/source"
)

func parse(text string) coturn.Settings {
	return coturn.Parse(&source.File{Path: "turnserver.conf", Src: []byte(text)})
}

func TestParse(t *testing.T) {
	s := parse("# a comment\n\nlistening-port=3479\r\nrealm  example.org  \n use-auth-secret\nstatic-auth-secret = \"a b\"\nno-tls=no\nuser-quota=1\nuser-quota=2\n")
	for name, want := range map[string]string{"listening-port": "3479", "realm": "example.org", "use-auth-secret": "", "static-auth-secret": "a b", "user-quota": "2"} {
		if o, ok := s.Last(name); !ok || o.Value != want {
			t.Errorf("%s is %q, %v", name, o.Value, ok)
		}
	}
	if !s.On("use-auth-secret") || s.On("no-tls") || s.On("no-udp") {
		t.Error("a switch alone is on, no is off")
	}
	if got := s[0].Site; got.Line != 3 || got.Col != 1 || s[2].Site.Col != 2 {
		t.Errorf("the places are %v and %v", got, s[2].Site)
	}
	if s.Port("listening-port", "3478") != "3479" || s.Port("tls-listening-port", "5349") != "5349" {
		t.Error("a port that is not set is the program's own")
	}
}

func TestFlags(t *testing.T) {
	var words []coturn.Word
	for _, w := range []string{"turnserver", "-n", "--realm", "example.org", "--lt-cred-mech", "-vL", "10.0.0.1", "-p3479", "--use-auth-secret", "--external-ip=203.0.113.1", "-X", "203.0.113.2"} {
		words = append(words, coturn.Word{Text: w})
	}
	s := coturn.Flags(words)
	for name, want := range map[string]string{"n": "", "realm": "example.org", "lt-cred-mech": "", "listening-ip": "10.0.0.1", "listening-port": "3479", "external-ip": "203.0.113.2"} {
		if o, ok := s.Last(name); !ok || o.Value != want {
			t.Errorf("%s is %q, %v", name, o.Value, ok)
		}
	}
	if len(s.All("external-ip")) != 2 || !s.On("use-auth-secret") || !s.On("verbose") {
		t.Errorf("%v", s)
	}
}

// Whether a network can be reached is what asking for each of its addresses gives.
func TestReachable(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	address := func() netip.Addr { return netip.AddrFrom4([4]byte{10, 0, 0, byte(rng.IntN(64))}) }
	reached := 0
	for range 3000 {
		var text strings.Builder
		var denied [256]bool
		for range rng.IntN(5) {
			a, b := address(), address()
			if b.Less(a) {
				a, b = b, a
			}
			fmt.Fprintf(&text, "denied-peer-ip=%s-%s\n", a, b)
			for at := a; at.Compare(b) <= 0; at = at.Next() {
				denied[at.As4()[3]] = true
			}
		}
		network := netip.PrefixFrom(address(), 28+rng.IntN(5))
		want := false
		for at := network.Masked().Addr(); network.Contains(at); at = at.Next() {
			want = want || !denied[at.As4()[3]]
		}
		if want {
			reached++
		}
		if got := parse(text.String()).Reachable(network); got != want {
			t.Fatalf("%s in\n%sis reachable: %v, not %v", network, text.String(), got, want)
		}
	}
	if reached < 500 || reached > 2500 {
		t.Errorf("%d of 3000 are reached; this tries one side only", reached)
	}
	for text, want := range map[string]bool{
		"denied-peer-ip=10.0.0.0/8":                                                               true, // no range that coturn reads
		"denied-peer-ip=10.0.0.0-10.255.255.255":                                                  false,
		"denied-peer-ip=10.0.0.0-10.255.255.255\nallowed-peer-ip=10.0.0.5":                        false,
		"denied-peer-ip=10.0.0.0-10.255.255.255\nallowed-peer-ip=10.0.0.0-10.0.0.255":             true,
		"denied-peer-ip=::1\ndenied-peer-ip=0.0.0.0-255.255.255.255\nallowed-peer-ip=10.0.0.0/24": false,
	} {
		if got := parse(text).Reachable(netip.MustParsePrefix("10.0.0.0/24")); got != want {
			t.Errorf("%s\nreachable: %v", text, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("realm=example.org\n-x\n=\n\"\n denied-peer-ip=10.0.0.0-::1\n")
	f.Fuzz(func(t *testing.T, text string) {
		s := parse(text)
		s.Reachable(netip.MustParsePrefix("10.0.0.0/8"))
		for _, o := range s {
			if o.Site.Line < 1 || o.Site.Col < 1 {
				t.Errorf("%q stands nowhere", o.Name)
			}
		}
	})
}
