package vneid

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// What a developer is told about a refusal, beside its texts: how long ago,
// where two addresses part. Words that begin with "~" are looked up in the
// language of the reader (sandbox/record).

// secondsSince is for "n seconds ago".
func secondsSince(at, now time.Time) string {
	return strconv.Itoa(max(0, int(now.Sub(at).Seconds())))
}

// ExplainURI says how an address that is not registered differs from the
// nearest one that is: sent, registered, the first character that differs,
// counted from 1, and in what. Without a registered one it says the first only.
func ExplainURI(registered []string, sent string) []string {
	best, at := "", -1
	for _, r := range registered {
		if n := commonPrefix(r, sent); n > at {
			best, at = r, n
		}
	}
	if at < 0 {
		return []string{sent}
	}
	return []string{sent, best, strconv.Itoa(at + 1), difference(best, sent)}
}

// ExplainRedirectURI is ExplainURI for an address that list should hold. Of a
// client that may use any port, the port is none of the differences.
func (c *Client) ExplainRedirectURI(list []string, sent string) []string {
	u, err := url.Parse(sent)
	if c.LoopbackAnyPort && err == nil && canonicalPort(u.Port()) {
		with := make([]string, len(list))
		for i, r := range list {
			with[i] = r
			if p, err := url.Parse(r); err == nil && p.Port() == "" {
				with[i] = strings.Replace(r, "//"+p.Host, "//"+p.Host+":"+u.Port(), 1)
			}
		}
		list = with
	}
	return ExplainURI(list, sent)
}

func commonPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// difference is a word for how two URIs differ.
func difference(registered, sent string) string {
	r, err1 := url.Parse(registered)
	s, err2 := url.Parse(sent)
	switch {
	case registered == sent:
		return "~same"
	case err1 != nil || err2 != nil || s.Scheme == "":
		return "~no_uri"
	case strings.TrimSpace(sent) == registered:
		return "~space"
	case sent == registered+"/" || registered == sent+"/":
		return "~slash"
	case strings.EqualFold(registered, sent):
		return "~case"
	case r.Scheme != s.Scheme:
		return "~scheme"
	case r.Hostname() != s.Hostname():
		return "~host"
	case r.Port() != s.Port():
		return "~port"
	case r.EscapedPath() != s.EscapedPath():
		return "~path"
	case s.Fragment != r.Fragment:
		return "~fragment"
	}
	return "~query"
}
