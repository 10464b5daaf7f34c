package wire

// SecretBlob is the answer of DownloadSecretBlob (B1).
type SecretBlob struct {
	SecretBlob string `json:"secret_blob"`
}

// UploadBlobRequest is the body of UploadSecretBlob.
type UploadBlobRequest struct {
	SecretBlob *string `json:"secret_blob"`
}
