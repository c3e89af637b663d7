apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ include "detector.name" . }}
  labels: {{- include "detector.labels" . | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ include "detector.name" . }}
subjects:
  - kind: ServiceAccount
    name: {{ include "detector.name" . }}
    namespace: {{ .Release.Namespace }}
