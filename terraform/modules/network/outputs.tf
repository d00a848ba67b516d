output "vpc_id" {
  description = "The network."
  value       = aws_vpc.this.id
}

output "cidr" {
  description = "Its addresses."
  value       = aws_vpc.this.cidr_block
}

output "private_subnet_ids" {
  description = "Subnets of the nodes, in the order of `zones`."
  value       = [for zone in var.zones : aws_subnet.private[zone].id]
}

output "nat_gateway_ids" {
  description = "NAT gateways, by zone."
  value       = { for zone, gateway in aws_nat_gateway.this : zone => gateway.id }
}
