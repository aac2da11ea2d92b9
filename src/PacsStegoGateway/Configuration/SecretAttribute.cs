namespace PacsStegoGateway.Configuration;

/// <summary>Marks a value that is never printed.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SecretAttribute : Attribute;
