apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "broker.name" . }}
  labels: {{- include "broker.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: {{- include "broker.selector" . | nindent 6 }}
