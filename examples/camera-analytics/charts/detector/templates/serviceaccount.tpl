apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "detector.name" . }}
  labels: {{- include "detector.labels" . | nindent 4 }}
