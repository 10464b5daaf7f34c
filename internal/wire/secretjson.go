package wire

import "strconv"

// The encoding of metadata is written by hand, because a page of secrets spends more
// in encoding/json than in the store. It says the same, which a test holds
// against encoding/json.

// AppendJSON appends the answer to dst.
func (a SecretAnswer) AppendJSON(dst []byte) []byte {
	return append(a.Secret.appendJSON(append(dst, `{"secret":`...)), '}')
}

// AppendJSON appends the page to dst.
func (l SecretList) AppendJSON(dst []byte) []byte {
	dst = append(dst, `{"secrets":[`...)
	for i := range l.Secrets {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = l.Secrets[i].appendJSON(dst)
	}
	dst = append(dst, `],"page_info":`...)
	return append(l.PageInfo.appendJSON(dst), '}')
}

func (p *PageInfo) appendJSON(dst []byte) []byte {
	dst = appendOrNull(dst, `{"next_marker":`, p.NextMarker)
	dst = appendOrNull(dst, `,"previous_marker":`, p.PreviousMarker)
	dst = append(dst, `,"current_count":`...)
	return append(strconv.AppendInt(dst, int64(p.CurrentCount), 10), '}')
}

func (s *Secret) appendJSON(dst []byte) []byte {
	dst = appendMember(dst, `{"id":`, s.ID)
	dst = appendMember(dst, `,"name":`, s.Name)
	dst = appendMember(dst, `,"state":`, string(s.State))
	dst = appendMember(dst, `,"kms_key_id":`, s.KMSKeyID)
	dst = appendMember(dst, `,"description":`, s.Description)
	dst = appendTime(dst, `,"create_time":`, s.CreateTime)
	dst = appendTime(dst, `,"update_time":`, s.UpdateTime)
	dst = appendTime(dst, `,"scheduled_delete_time":`, s.ScheduledDeleteTime)
	dst = appendMember(dst, `,"secret_type":`, string(s.SecretType))
	dst = strconv.AppendBool(append(dst, `,"auto_rotation":`...), s.AutoRotation)
	dst = appendOrNull(dst, `,"rotation_period":`, s.RotationPeriod)
	dst = appendOrNull(dst, `,"rotation_config":`, s.RotationConfig)
	dst = appendTime(dst, `,"rotation_time":`, s.RotationTime)
	dst = appendTime(dst, `,"next_rotation_time":`, s.NextRotationTime)
	dst = appendTime(dst, `,"last_used_time":`, s.LastUsedTime)
	dst = appendTexts(append(dst, `,"event_subscriptions":`...), s.EventSubscriptions)
	dst = appendMember(dst, `,"enterprise_project_id":`, s.EnterpriseProjectID)
	dst = appendOrNull(dst, `,"rotation_func_urn":`, s.RotationFuncURN)
	dst = appendMember(dst, `,"domain_id":`, s.DomainID)
	dst = appendMember(dst, `,"replica_type":`, string(s.ReplicaType))
	dst = append(dst, `,"replicas":[`...)
	for i := range s.Replicas {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = s.Replicas[i].appendJSON(dst)
	}
	return append(dst, `]}`...)
}

func (r *Replica) appendJSON(dst []byte) []byte {
	dst = appendMember(dst, `{"id":`, r.ID)
	dst = appendMember(dst, `,"kms_key_id":`, r.KMSKeyID)
	dst = appendMember(dst, `,"project_id":`, r.ProjectID)
	dst = appendMember(dst, `,"region":`, r.Region)
	dst = appendMember(dst, `,"replica_type":`, string(r.ReplicaType))
	if r.Status != "" {
		dst = appendMember(dst, `,"status":`, r.Status)
	}
	dst = appendTime(dst, `,"created_at":`, r.CreatedAt)
	dst = appendTime(dst, `,"updated_at":`, r.UpdatedAt)
	return append(dst, '}')
}

func appendOrNull(dst []byte, key string, text OrNull) []byte {
	if text == "" {
		return append(append(dst, key...), "null"...)
	}
	return appendMember(dst, key, string(text))
}

func appendTexts(dst []byte, texts []string) []byte {
	dst = append(dst, '[')
	for i, text := range texts {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, text)
	}
	return append(dst, ']')
}
