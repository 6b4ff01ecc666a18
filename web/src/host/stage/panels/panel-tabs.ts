export const panelTabs = ["game", "players", "hosts"] as const;
export type PanelTab = (typeof panelTabs)[number];
