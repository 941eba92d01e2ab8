package limits

import (
	"time"

	"golang.org/x/time/rate"
)

// Creations bounds how many pods are created in a second. While others wait, a namespace has half of that at most.
type Creations struct {
	all         *rate.Limiter
	half        int
	byNamespace map[string]*rate.Limiter
}

// NewCreations has no creation behind it.
func (c Caps) NewCreations() *Creations {
	return &Creations{all: rate.NewLimiter(rate.Limit(c.PerSecond), c.PerSecond), half: max(1, c.PerSecond/2),
		byNamespace: make(map[string]*rate.Limiter)}
}

// Allow counts a creation for the namespace, if it may have one now. Times must not go back.
func (c *Creations) Allow(now time.Time, namespace string, othersWait bool) bool {
	if !othersWait {
		return c.all.AllowN(now, 1)
	}
	share := c.byNamespace[namespace]
	if share == nil {
		c.forgetIdle(now)
		share = rate.NewLimiter(rate.Limit(c.half), c.half)
		c.byNamespace[namespace] = share
	}
	return share.TokensAt(now) >= 1 && c.all.AllowN(now, 1) && share.AllowN(now, 1)
}

// forgetIdle forgets the namespaces that have created nothing for a second.
func (c *Creations) forgetIdle(now time.Time) {
	for namespace, share := range c.byNamespace {
		if share.TokensAt(now) >= float64(c.half) {
			delete(c.byNamespace, namespace)
		}
	}
}
