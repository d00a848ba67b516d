"""The cluster's manifests, and what renders Terraform's outputs into them."""
