package people

import (
	"context"
	"errors"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Registrar registers, changes and removes clients, in the world of the
// context: for the API and for the console. Mistakes are [Invalid], a client_id
// that is taken is vneid.ErrExists, one that nobody has vneid.ErrNotFound.
//
// A secret is returned when it is made, and by nothing else.
type Registrar struct {
	Store      vneid.Store
	Rand       vneid.Rand
	AllowHosts []string // hosts that clients may name besides the local ones
}

// Add registers a client, with a client_id of ours if it has none.
func (g *Registrar) Add(ctx context.Context, m vneid.ClientMetadata) (c *vneid.Client, secret string, err error) {
	if m.ClientID == "" {
		m.ClientID = vneid.NewID(g.Rand)
	}
	if bad := m.Normalize(g.AllowHosts); len(bad) > 0 {
		return nil, "", Invalid(bad)
	}
	w := vneid.WorldFrom(ctx)
	now := w.Clock.Now()
	c = &vneid.Client{ClientMetadata: m, CreatedAt: now, UpdatedAt: now}
	secret = g.renew(c)
	err = g.Store.Update(ctx, w.ID, func(tx vneid.Tx) error {
		switch _, err := tx.Client(m.ClientID); {
		case err == nil:
			return vneid.ErrExists
		case !errors.Is(err, vneid.ErrNotFound):
			return err
		}
		return tx.PutClient(c)
	})
	return c, secret, err
}

// Change lets change work on a client as it is, and keeps the result. It may
// run more than once. A client that begins to authenticate with a secret gets
// one, one that ceases to loses its own.
func (g *Registrar) Change(ctx context.Context, id string, change func(*vneid.ClientMetadata) error) (c *vneid.Client, secret string, err error) {
	err = g.update(ctx, id, func(found *vneid.Client) error {
		c, secret = found, ""
		had := c.HasSecret()
		if err := change(&c.ClientMetadata); err != nil {
			return err
		}
		bad := c.Normalize(g.AllowHosts)
		if c.ClientID != id {
			bad["client_id"] = "cannot be changed; register a new client"
		}
		if len(bad) > 0 {
			return Invalid(bad)
		}
		if c.HasSecret() != had {
			secret = g.renew(c)
		}
		return nil
	})
	return c, secret, err
}

// NewSecret replaces the secret of a client that uses one.
func (g *Registrar) NewSecret(ctx context.Context, id string) (c *vneid.Client, secret string, err error) {
	err = g.update(ctx, id, func(found *vneid.Client) error {
		c = found
		secret = g.renew(c)
		return nil
	})
	return c, secret, err
}

func (g *Registrar) update(ctx context.Context, id string, fn func(*vneid.Client) error) error {
	w := vneid.WorldFrom(ctx)
	return g.Store.Update(ctx, w.ID, func(tx vneid.Tx) error {
		c, err := tx.Client(id)
		if err != nil {
			return err
		}
		if err := fn(c); err != nil {
			return err
		}
		c.UpdatedAt = w.Clock.Now()
		return tx.PutClient(c)
	})
}

// Remove removes a client.
func (g *Registrar) Remove(ctx context.Context, id string) error {
	w := vneid.WorldFrom(ctx)
	return g.Store.Update(ctx, w.ID, func(tx vneid.Tx) error { return vneid.RemoveClient(tx, id, w.Clock.Now()) })
}

// renew gives a client that uses a secret a new one, and takes it away from any
// other.
func (g *Registrar) renew(c *vneid.Client) (secret string) {
	if !c.HasSecret() {
		c.SecretHash = ""
		return ""
	}
	secret = vneid.NewSecret(g.Rand)
	c.SecretHash = vneid.SecretHash(secret)
	return secret
}
