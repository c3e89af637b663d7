apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ include "detector.name" . }}
  labels: {{- include "detector.labels" . | nindent 4 }}
rules:
  - apiGroups: [vision.example.com]
    resources: [cameras]
    verbs: [get, list, watch]
