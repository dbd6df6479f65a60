package main

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// origins returns whose pages may play from another host than theirs, as from a CDN: the school's own.
func origins(base string) []string {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return nil
	}
	return []string{u.Scheme + "://" + u.Host}
}

// viewerAddress returns how the origin learns where a viewer is: at the other end of the connection or, when that is
// one of our proxies, where the last of them says. Networks that do not parse are none; package web refuses them.
func viewerAddress(trusted []string) func(*http.Request) netip.Addr {
	var networks []netip.Prefix
	for _, text := range trusted {
		if p, err := netip.ParsePrefix(text); err == nil {
			networks = append(networks, p)
		} else if a, err := netip.ParseAddr(text); err == nil {
			networks = append(networks, netip.PrefixFrom(a, a.BitLen()))
		}
	}
	ours := func(a netip.Addr) bool {
		return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	return func(r *http.Request) netip.Addr {
		port, _ := netip.ParseAddrPort(r.RemoteAddr)
		at := port.Addr().Unmap()
		if len(networks) == 0 || !ours(at) {
			return at
		}
		for _, hop := range slices.Backward(strings.Split(strings.Join(r.Header["X-Forwarded-For"], ","), ",")) {
			a, err := netip.ParseAddr(strings.TrimSpace(hop))
			if err != nil {
				return at
			}
			if at = a.Unmap(); !ours(at) {
				return at
			}
		}
		return at
	}
}
