mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name            = "jepa-test"
  vpc_id          = "vpc-0"
  subnet_ids      = ["subnet-a", "subnet-b"]
  admin_role_arns = ["arn:aws:iam::111122223333:role/platform"]
  log_group       = "/aws/eks/jepa-test/cluster"
  pools = {
    system   = { instance_types = ["m6i.large"], minimum = 2, maximum = 3 }
    collect  = { instance_types = ["c6i.4xlarge", "c6a.4xlarge"], spot = true, maximum = 4 }
    gpu      = { instance_types = ["g6.4xlarge"], gpus = 1, maximum = 2 }
    training = { instance_types = ["p5.48xlarge"], gpus = 8, maximum = 4, efa_interfaces = 32, capacity_reservation_id = "cr-0" }
  }
}

run "cluster" {
  assert {
    condition     = !aws_eks_cluster.this.vpc_config[0].endpoint_public_access && aws_eks_cluster.this.vpc_config[0].endpoint_private_access
    error_message = "the control plane can be reached from outside although nobody asked for it"
  }

  assert {
    condition     = aws_eks_cluster.this.encryption_config[0].resources == toset(["secrets"]) && aws_eks_cluster.this.encryption_config[0].provider[0].key_arn == aws_kms_key.secrets.arn
    error_message = "secrets are not encrypted by the cluster's key"
  }

  assert {
    condition     = length(setsubtract(["api", "audit", "authenticator", "controllerManager", "scheduler"], aws_eks_cluster.this.enabled_cluster_log_types)) == 0
    error_message = "what is asked of the control plane is not all in the log"
  }

  assert {
    condition     = aws_eks_cluster.this.access_config[0].authentication_mode == "API" && !aws_eks_cluster.this.access_config[0].bootstrap_cluster_creator_admin_permissions
    error_message = "whoever made the cluster may do everything in it, for ever and unseen"
  }

  assert {
    condition     = { for name, group in aws_eks_node_group.pool : name => group.capacity_type } == { system = "ON_DEMAND", collect = "SPOT", gpu = "ON_DEMAND", training = "ON_DEMAND" }
    error_message = "collection is not on spot, or something else is"
  }

  assert {
    condition = jsonencode({ for name, group in aws_eks_node_group.pool : name => sort([for taint in group.taint : "${taint.key}=${taint.value}:${taint.effect}"]) }) == jsonencode({
      system   = []
      collect  = ["jepa-foundry/pool=collect:NO_SCHEDULE"]
      gpu      = ["jepa-foundry/pool=gpu:NO_SCHEDULE", "nvidia.com/gpu=present:NO_SCHEDULE"]
      training = ["jepa-foundry/pool=training:NO_SCHEDULE", "nvidia.com/gpu=present:NO_SCHEDULE"]
    })
    error_message = "a pool takes pods that are not meant for it"
  }

  assert {
    condition     = { for name, group in aws_eks_node_group.pool : name => group.labels["jepa-foundry/pool"] } == { system = "system", collect = "collect", gpu = "gpu", training = "training" }
    error_message = "a pod that asks for a pool does not find it"
  }

  assert {
    condition     = { for name, group in aws_eks_node_group.pool : name => group.ami_type } == { system = "AL2023_x86_64_STANDARD", collect = "AL2023_x86_64_STANDARD", gpu = "AL2023_x86_64_NVIDIA", training = "AL2023_x86_64_NVIDIA" }
    error_message = "nodes with GPUs start without their driver"
  }

  assert {
    condition     = alltrue([for group in aws_eks_node_group.pool : group.scaling_config[0].min_size == var.pools[group.node_group_name].minimum && group.scaling_config[0].max_size == var.pools[group.node_group_name].maximum])
    error_message = "a pool has other bounds than was said"
  }

  assert {
    condition     = alltrue([for template in aws_launch_template.pool : template.metadata_options[0].http_tokens == "required" && template.metadata_options[0].http_put_response_hop_limit == 1])
    error_message = "a pod can take the role of its node"
  }

  assert {
    condition     = alltrue([for template in aws_launch_template.pool : template.block_device_mappings[0].ebs[0].encrypted == "true"])
    error_message = "a node's disk is not encrypted"
  }

  assert {
    condition     = alltrue([for template in aws_launch_template.pool : alltrue([for specification in template.tag_specifications : lookup(specification.tags, "Environment", "") == "test"])])
    error_message = "the budget does not count a pool's nodes"
  }

  assert {
    condition = length(aws_launch_template.pool["training"].network_interfaces) == 32 && alltrue([for interface in aws_launch_template.pool["training"].network_interfaces :
      startswith(interface.interface_type, "efa") && contains(interface.security_groups, aws_security_group.efa["efa"].id) && contains(interface.security_groups, "sg-cluster")
    ])
    error_message = "nodes that train together have no EFA on each of their network cards"
  }

  assert {
    condition     = aws_eks_node_group.pool["training"].subnet_ids == toset(["subnet-a"]) && aws_launch_template.pool["training"].placement[0].group_name == "jepa-test-training" && aws_placement_group.efa["training"].strategy == "cluster"
    error_message = "nodes that train together may start far from each other"
  }

  assert {
    condition     = aws_vpc_security_group_egress_rule.efa["efa"].referenced_security_group_id == aws_security_group.efa["efa"].id && aws_vpc_security_group_ingress_rule.efa["efa"].referenced_security_group_id == aws_security_group.efa["efa"].id
    error_message = "EFA does not pass between the nodes"
  }

  assert {
    condition     = aws_launch_template.pool["training"].capacity_reservation_specification[0].capacity_reservation_target[0].capacity_reservation_id == "cr-0"
    error_message = "the nodes that were reserved are not used"
  }

  assert {
    condition     = jsondecode(aws_eks_addon.before_nodes["vpc-cni"].configuration_values).enableNetworkPolicy == "true"
    error_message = "network policies are written and nothing enforces them"
  }

  assert {
    condition     = contains(keys(aws_eks_addon.before_nodes), "eks-pod-identity-agent")
    error_message = "no pod gets a role"
  }

  assert {
    condition = alltrue([for statement in jsondecode(aws_iam_policy.autoscaler.policy).Statement :
      try(statement.Condition.StringEquals["aws:ResourceTag/k8s.io/cluster-autoscaler/jepa-test"], "") == "owned"
      if anytrue([for action in statement.Action : startswith(action, "autoscaling:Set") || startswith(action, "autoscaling:Terminate")])
    ])
    error_message = "the autoscaler may change groups of another cluster"
  }

  assert {
    condition = { for key, tagged in aws_autoscaling_group_tag.capacity : tagged.tag[0].key => tagged.tag[0].value... } == {
      "k8s.io/cluster-autoscaler/node-template/resources/ephemeral-storage"     = ["90Gi", "90Gi", "90Gi", "90Gi"]
      "k8s.io/cluster-autoscaler/node-template/resources/vpc.amazonaws.com/efa" = ["32"]
    }
    error_message = "a pool without nodes never gets one for a pod that asks for disk or EFA"
  }

  assert {
    condition     = !anytrue([for attachment in aws_iam_role_policy_attachment.node : strcontains(attachment.policy_arn, "S3") || strcontains(attachment.policy_arn, "Admin")])
    error_message = "a node may do what belongs to pods"
  }
}

run "an_office_may_reach_it" {
  variables {
    public_access_cidrs = ["203.0.113.0/24"]
  }

  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].endpoint_public_access && aws_eks_cluster.this.vpc_config[0].public_access_cidrs == toset(["203.0.113.0/24"])
    error_message = "somebody else than the office can reach the control plane"
  }
}

run "refused" {
  command = plan

  variables {
    name                = "Jepa"
    kubernetes_version  = "1.29"
    subnet_ids          = ["subnet-a"]
    public_access_cidrs = ["0.0.0.0/0"]
    admin_role_arns     = ["arn:aws:iam::111122223333:user/me"]
    log_group           = "cluster"
    pools               = { collect = { instance_types = ["a", "b"], gpus = 1, spot = true, maximum = 1 } }
  }

  expect_failures = [var.name, var.kubernetes_version, var.subnet_ids, var.public_access_cidrs, var.admin_role_arns, var.log_group, var.pools]
}
