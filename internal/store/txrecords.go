package store

// The look-ups return ErrNotFound for what is not there. Put writes a record, new or
// changed; a name or alias that belongs to another record is refused with ErrTaken.
// Delete removes the record with the identity of its argument, or returns
// ErrNotFound; it removes nothing that only refers to it.

// Domain returns the domain of that id.
func (t *Tx) Domain(id string) (*Domain, error) {
	return load(t, &domainKind, idKey(nil, tableDomain, id))
}

// DomainByName returns the domain of that name.
func (t *Tx) DomainByName(name string) (*Domain, error) {
	return loadByRow(t, &domainKind, domainNameKey(nil, name))
}

// PutDomain writes a domain.
func (t *Tx) PutDomain(d *Domain) error { return write(t, &domainKind, d) }

// DeleteDomain removes a domain.
func (t *Tx) DeleteDomain(d *Domain) error { return erase(t, &domainKind, domainKind.key(d)) }

// Project returns the project of that id.
func (t *Tx) Project(id string) (*Project, error) {
	return load(t, &projectKind, idKey(nil, tableProject, id))
}

// ProjectByName returns the project of a domain that has that name.
func (t *Tx) ProjectByName(domain, name string) (*Project, error) {
	return loadByRow(t, &projectKind, nameKey(nil, tableProjectName, domain, name))
}

// PutProject writes a project.
func (t *Tx) PutProject(p *Project) error { return write(t, &projectKind, p) }

// DeleteProject removes a project, and neither its secrets nor its keys.
func (t *Tx) DeleteProject(p *Project) error { return erase(t, &projectKind, projectKind.key(p)) }

// User returns the user of that id.
func (t *Tx) User(id string) (*User, error) { return load(t, &userKind, idKey(nil, tableUser, id)) }

// UserByName returns the user of a domain that has that name.
func (t *Tx) UserByName(domain, name string) (*User, error) {
	return loadByRow(t, &userKind, nameKey(nil, tableUserName, domain, name))
}

// PutUser writes a user.
func (t *Tx) PutUser(u *User) error { return write(t, &userKind, u) }

// DeleteUser removes a user, and not his access keys.
func (t *Tx) DeleteUser(u *User) error { return erase(t, &userKind, userKind.key(u)) }

// Policy returns the policy of that id.
func (t *Tx) Policy(id string) (*Policy, error) {
	return load(t, &policyKind, idKey(nil, tablePolicy, id))
}

// PolicyByName returns the policy of a domain that has that name.
func (t *Tx) PolicyByName(domain, name string) (*Policy, error) {
	return loadByRow(t, &policyKind, nameKey(nil, tablePolicyName, domain, name))
}

// PutPolicy writes a policy.
func (t *Tx) PutPolicy(p *Policy) error { return write(t, &policyKind, p) }

// DeletePolicy removes a policy, and not the mention of it in users and groups.
func (t *Tx) DeletePolicy(p *Policy) error { return erase(t, &policyKind, policyKind.key(p)) }

// AccessKey returns the record of an access key.
func (t *Tx) AccessKey(ak string) (*AccessKey, error) {
	return load(t, &accessKeyKind, idKey(nil, tableAccessKey, ak))
}

// PutAccessKey writes an access key.
func (t *Tx) PutAccessKey(a *AccessKey) error { return write(t, &accessKeyKind, a) }

// DeleteAccessKey removes an access key.
func (t *Tx) DeleteAccessKey(a *AccessKey) error {
	return erase(t, &accessKeyKind, accessKeyKind.key(a))
}

// Token returns the token of that hash, expired or not.
func (t *Tx) Token(hash [32]byte) (*Token, error) { return load(t, &tokenKind, tokenKey(nil, &hash)) }

// PutToken writes a token.
func (t *Tx) PutToken(k *Token) error { return write(t, &tokenKind, k) }

// DeleteToken removes a token.
func (t *Tx) DeleteToken(k *Token) error { return erase(t, &tokenKind, tokenKind.key(k)) }

// Key returns the KMS key of a project that has that id.
func (t *Tx) Key(project, id string) (*Key, error) {
	return load(t, &keyKind, projectKeyKey(nil, project, id))
}

// KeyByAlias returns the KMS key of a project that has that alias.
func (t *Tx) KeyByAlias(project, alias string) (*Key, error) {
	return loadByRow(t, &keyKind, nameKey(nil, tableKeyAlias, project, alias))
}

// PutKey writes a KMS key.
func (t *Tx) PutKey(k *Key) error { return write(t, &keyKind, k) }

// DeleteKey removes a KMS key. Whatever is sealed under it is lost.
func (t *Tx) DeleteKey(k *Key) error { return erase(t, &keyKind, keyKind.key(k)) }

// SecretsConfig returns the configuration of the checker for a project.
func (t *Tx) SecretsConfig(domain, project string) (*SecretsConfig, error) {
	return load(t, &configKind, configKey(nil, domain, project))
}

// PutSecretsConfig writes the configuration of the checker for a project.
func (t *Tx) PutSecretsConfig(c *SecretsConfig) error { return write(t, &configKind, c) }

// DeleteSecretsConfig removes the configuration of the checker for a project.
func (t *Tx) DeleteSecretsConfig(c *SecretsConfig) error {
	return erase(t, &configKind, configKind.key(c))
}

func write[T any](t *Tx, kind *kind[T], r *T) error {
	_, err := save(t, kind, r)
	return err
}
