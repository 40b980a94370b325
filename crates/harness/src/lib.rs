//! Starts a real kube-apiserver and makes the cluster around it. Test support only.
