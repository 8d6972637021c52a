create table if not exists items (
    player text not null,
    item text not null,
    count bigint not null,
    primary key (player, item)
);
