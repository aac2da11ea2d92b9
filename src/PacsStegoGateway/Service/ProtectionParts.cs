using PacsStegoGateway.Retrieval;
using PacsStegoGateway.Steganography.Sealing;
using PacsStegoGateway.Work;

namespace PacsStegoGateway.Service;

/// <summary>What the gateway takes from the rooms below: the keys and the product's two verbs, all thread-safe.</summary>
public sealed record ProtectionParts(KeyRing Keys, Protect Protect, Reveal Reveal);
